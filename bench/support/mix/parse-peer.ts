import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { utcConnection } from '../../../src/platform/prisma/utc-connection.js';
import { ROOT } from '../../../tools/stack/paths.js';
import { createDatabase } from '../../../tools/stack/postgres.js';
import { print, step } from '../../../tools/stack/steps.js';
import { HttpClient } from '../http-client.js';
import type { LoadPlan, PlannedRequest } from '../open-loop/load-plan.js';
import { rssMb } from '../process-use.js';
import { type Server, startPeer } from '../servers.js';
import { type Services } from '../services.js';
import { DEVICES_OF_USER, inParallel, USERS } from './mix-installation.js';
import type { MixCandidate } from './mix-candidates.js';
import { get, mixPlan, post } from './mix-plan.js';

/** With its adapter for PostgreSQL, in the release that was looked at. */
const VERSION = '9.10.0';
const FOLDER = join(ROOT, '.mortise', 'bench-peer', `parse-server-${VERSION}`);
const MANIFEST = join(FOLDER, 'node_modules', 'parse-server', 'package.json');
const INSTALL_WITHIN_MS = 240_000;
const DATABASE = 'parse_bench';
const APPLICATION = 'bench';

interface ParseUser {
  readonly id: string;
  readonly session: string;
  readonly devices: readonly string[];
}

/**
 * Parse Server with people, sessions and devices of the same shape, each readable by its owner alone (an ACL). It has no locks: its
 * command is a row that is written and answered. Null where it cannot be installed.
 */
export async function startParse(services: Services): Promise<MixCandidate | null> {
  if (!(await isInstalled())) {
    return null;
  }
  await createDatabase(services.databaseUrl, DATABASE);
  const masterKey = randomUUID();
  const server = await startPeer(
    services,
    join(FOLDER, 'node_modules', 'parse-server', 'bin', 'parse-server'),
    {
      PARSE_SERVER_APPLICATION_ID: APPLICATION,
      PARSE_SERVER_MASTER_KEY: masterKey,
      // As many connections as the others have.
      PARSE_SERVER_DATABASE_URI: `${services.databaseUrl(DATABASE)}?poolSize=20`,
      PARSE_SERVER_HOST: '127.0.0.1',
      PARSE_SERVER_LOG_LEVEL: 'error',
      PARSE_SERVER_LOGS_FOLDER: join(FOLDER, 'logs'),
      SILENT: '1',
    },
    '/parse/health',
  );
  const rssAfterBootMb = rssMb(server.pid);
  const users = await step('Parse Server: people and devices', () => createUsers(services, server, masterKey));
  return { name: `Parse Server ${VERSION}`, server, rssAfterBootMb, plan: () => parsePlan(server.url, users) };
}

async function isInstalled(): Promise<boolean> {
  if (
    existsSync(MANIFEST) &&
    (JSON.parse(await readFile(MANIFEST, 'utf8')) as { version: string }).version === VERSION
  ) {
    return true;
  }
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, 'package.json'), '{"private":true}\n');
  const options = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--no-save'];
  const install = ['install', '--prefix', FOLDER, ...options, `parse-server@${VERSION}`];
  const npm = process.env.npm_execpath;
  const [program, args] = npm === undefined ? ['npm', install] : [process.execPath, [npm, ...install]];
  try {
    await step(`parse-server ${VERSION} from npm`, () =>
      promisify(execFile)(program, args, { cwd: FOLDER, timeout: INSTALL_WITHIN_MS }),
    );
    return existsSync(MANIFEST);
  } catch (error) {
    print(`No peer: parse-server ${VERSION} could not be installed (${String(error).split('\n', 1)[0] ?? ''}).`);
    return false;
  }
}

async function createUsers(services: Services, { url }: Server, masterKey: string): Promise<ParseUser[]> {
  const client = new HttpClient(url, 8);
  const application = { 'x-parse-application-id': APPLICATION, 'content-type': 'application/json' };
  const send = async <T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> => {
    const asked = { method: 'POST' as const, path: `/parse${path}`, body: JSON.stringify(body) };
    const answer = await client.send({ ...asked, headers: { ...application, ...headers } });
    if (answer.status >= 300) {
      throw new Error(`Parse Server answered ${path} ${String(answer.status)}: ${answer.body}`);
    }
    return JSON.parse(answer.body) as T;
  };
  const master = { 'x-parse-master-key': masterKey };
  await send('/schemas/Device', { className: 'Device', fields: DEVICE_FIELDS }, master);
  await send('/schemas/DeviceEvent', { className: 'DeviceEvent', fields: EVENT_FIELDS }, master);
  await send('/schemas/DeviceCommand', { className: 'DeviceCommand', fields: COMMAND_FIELDS }, master);
  const users = await inParallel(USERS, async (index) => {
    const account = { username: `person-${String(index)}`, password: randomUUID() };
    const { objectId, sessionToken } = await send<{ objectId: string; sessionToken: string }>('/users', account);
    const devices: string[] = [];
    for (let number = 0; number < DEVICES_OF_USER; number++) {
      const made = await send<{ objectId: string }>('/classes/Device', deviceOf(objectId, number), master);
      devices.push(made.objectId);
    }
    return { id: objectId, session: sessionToken, devices };
  });
  await assertPrivate(client, users);
  client.close();
  await addIndexes(services);
  return users;
}

/** It asks who may see what, as we do: a device is not there for another person. */
async function assertPrivate(client: HttpClient, [first, second]: readonly ParseUser[]): Promise<void> {
  const path = `/parse/classes/Device/${first!.devices[0]!}`;
  const [own, other] = await Promise.all(
    [first!, second!].map((user) => client.send({ method: 'GET', path, headers: signed(user) })),
  );
  if (own?.status !== 200 || other?.status !== 404) {
    throw new Error(
      `Parse Server shows a device to its owner (${String(own?.status)}) and to others (${String(other?.status)}).`,
    );
  }
}

const TEXT = { type: 'String' };
const NUMBER = { type: 'Number' };
const DEVICE_FIELDS = {
  ...{
    owner: TEXT,
    name: TEXT,
    type: TEXT,
    hardwareId: TEXT,
    room: TEXT,
    location: TEXT,
    metadata: { type: 'Object' },
  },
  ...{ timeZone: TEXT, status: TEXT, firmwareVersion: TEXT, battery: NUMBER, rssi: NUMBER, lockState: TEXT },
  ...{ doorState: TEXT, links: { type: 'Array' }, version: NUMBER, lastSeenAt: TEXT },
};
const EVENT_FIELDS = { device: TEXT, boot: TEXT, seq: NUMBER, type: TEXT, data: { type: 'Object' } };
const COMMAND_FIELDS = { device: TEXT, name: TEXT, payload: { type: 'Object' }, state: TEXT };

/** As many members as a device of ours has. */
function deviceOf(ownerId: string, index: number): object {
  return {
    ...{ ACL: privateTo(ownerId), owner: ownerId, name: `Door ${String(index)}`, type: 'door_lock' },
    ...{ hardwareId: randomUUID(), room: `Floor ${String(index % 4)}`, location: 'Berlin', metadata: {} },
    ...{ timeZone: 'UTC', status: 'offline', firmwareVersion: '1.0.0', battery: 80, rssi: -60 },
    ...{ lockState: 'locked', doorState: 'closed', links: [], version: 1, lastSeenAt: new Date().toISOString() },
  };
}

/** What its documentation tells to add for such a query. */
async function addIndexes({ databaseUrl }: Services): Promise<void> {
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl(DATABASE)) });
  await client.connect();
  await client.query('CREATE INDEX device_owner ON "Device" (owner, "createdAt" DESC)');
  await client.query('VACUUM ANALYZE');
  await client.end();
}

function parsePlan(url: string, users: readonly ParseUser[]): LoadPlan {
  const each = (request: (user: ParseUser, device: string) => PlannedRequest): PlannedRequest[] =>
    Array.from({ length: DEVICES_OF_USER }, (_, index) =>
      users.map((user) => request(user, user.devices[index]!)),
    ).flat();
  const boot = randomUUID();
  const created = { status: 201, text: '"objectId":', times: 1 };
  const rows = (count: number): PlannedRequest['expect'] => ({ status: 200, text: '"hardwareId"', times: count });
  return mixPlan(url, {
    list: users.map((user) =>
      get(
        `/parse/classes/Device?where=${encodeURIComponent(JSON.stringify({ owner: user.id }))}&order=-createdAt&limit=${String(DEVICES_OF_USER)}`,
        signed(user),
        rows(DEVICES_OF_USER),
      ),
    ),
    get: each((user, device) => get(`/parse/classes/Device/${device}`, signed(user), rows(1))),
    event: each((user, device) =>
      post('/parse/classes/DeviceEvent', signed(user), eventOf(user.id, device, boot), created),
    ),
    command: each((user, device) =>
      post('/parse/classes/DeviceCommand', signed(user), commandOf(user.id, device), created),
    ),
  });
}

function eventOf(ownerId: string, device: string, boot: string): string {
  const event = { device, boot, seq: '%seq%', type: 'motion_detected', data: { confidence: 0.9, zone: 'hall' } };
  return JSON.stringify({ ...event, ACL: privateTo(ownerId) }).replace('"%seq%"', '%seq%');
}

function commandOf(ownerId: string, device: string): string {
  const command = { device, name: 'unlock_door', payload: { durationMs: 5_000 }, state: 'EXECUTED' };
  return JSON.stringify({ ...command, ACL: privateTo(ownerId) });
}

function privateTo(ownerId: string): object {
  return { [ownerId]: { read: true, write: true } };
}

function signed({ session }: ParseUser): Record<string, string> {
  return { 'x-parse-application-id': APPLICATION, 'x-parse-session-token': session };
}
