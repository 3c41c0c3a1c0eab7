import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Failure } from './failure.js';
import { onFreePort } from './ports.js';
import { type PostgresPlace } from './postgres-place.js';
import { type ProcessOptions, type SupervisedProcess, type Supervisor } from './supervisor.js';
import { waitUntil } from './wait-until.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

const SUPERUSER = 'mortise';

/** The URL of one database of a server. */
export type DatabaseUrl = (database: string) => string;

export interface RunningPostgres {
  readonly url: DatabaseUrl;
  readonly server: SupervisedProcess;
}

/** What a server is started with besides what every one gets. */
export interface PostgresOptions {
  /** Of 127.0.0.1; a free one unless given. */
  readonly port?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly onOutput?: (chunk: Buffer) => void;
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts the PostgreSQL that npm brought, creating its data the first time. */
export async function startPostgres(
  supervisor: Supervisor,
  place: PostgresPlace,
  options: PostgresOptions = {},
): Promise<RunningPostgres> {
  const password = await passwordOf(place);
  await createCluster(supervisor, place, password);
  await waitForPredecessor(place);
  const listenOn = async (port: number): Promise<RunningPostgres> => {
    const server = supervisor.start({
      name: 'PostgreSQL',
      command: join(place.binaries, 'postgres'),
      args: ['-D', place.data, ...settings(port, options.settings)],
      ...(options.env && { env: options.env }),
      ...(options.onOutput && { onOutput: options.onOutput }),
      cwd: '/',
      stopSignal: 'SIGINT',
      stopWithinMs: 10_000,
      ...(place.owner && { owner: place.owner }),
    });
    const url: DatabaseUrl = (database) =>
      `postgresql://${SUPERUSER}:${password}@127.0.0.1:${String(port)}/${database}`;
    await waitUntilReady(server, url('postgres'));
    return { url, server };
  };
  return options.port === undefined ? onFreePort(listenOn) : listenOn(options.port);
}

/** The running server of a place, when another process started it: `npm run db:migrate` beside `npm start`. */
export async function findRunningPostgres(place: PostgresPlace): Promise<DatabaseUrl | undefined> {
  const running = await readPostmaster(place);
  if (!running || !isPostgres(running.pid)) {
    return undefined;
  }
  const password = await passwordOf(place);
  return (database) => `postgresql://${SUPERUSER}:${password}@127.0.0.1:${String(running.port)}/${database}`;
}

export async function createDatabase(url: DatabaseUrl, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: utcConnection(url('postgres')) });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}

function settings(port: number, more: PostgresOptions['settings']): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // English, whatever the locale of the host: a message about an address in use is understood below.
    lc_messages: 'C',
    ...more,
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
}

async function createCluster(supervisor: Supervisor, place: PostgresPlace, password: string): Promise<void> {
  if (await readFile(join(place.data, 'PG_VERSION')).catch(() => undefined)) {
    return;
  }
  // Made aside and moved when complete: an interrupted first start leaves nothing that looks like a database.
  const aside = `${place.data}.new`;
  const passwordFile = `${place.data}.initdb-password`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.owner) {
    await chown(aside, place.owner.uid, place.owner.gid);
    await chown(passwordFile, place.owner.uid, place.owner.gid);
  }
  const initdb = supervisor.start(initdbOptions(place, aside, passwordFile));
  const end = await initdb.ended;
  await rm(passwordFile, { force: true });
  if (end !== 'exit code 0') {
    throw new Failure(`PostgreSQL could not create its data in ${place.data} (${end}): ${initdb.lastOutput()}`);
  }
  await rename(aside, place.data);
}

function initdbOptions(place: PostgresPlace, data: string, passwordFile: string): ProcessOptions {
  const identity = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  // The same collation on every machine, whatever locales it has.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return {
    name: 'initdb',
    command: join(place.binaries, 'initdb'),
    args: ['-D', data, ...identity, ...locale],
    cwd: '/',
    ...(place.owner && { owner: place.owner }),
  };
}

async function passwordOf(place: PostgresPlace): Promise<string> {
  const file = join(place.data, '..', 'postgres-password');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known) {
    return known;
  }
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  await chmod(file, 0o600);
  return password;
}

/** Gives a server that is just going down (the last run was killed) time to go, and removes what a crash left. */
async function waitForPredecessor(place: PostgresPlace): Promise<void> {
  await waitUntil(async () => !isPostgres((await readPostmaster(place))?.pid), {
    withinMs: 8_000,
    otherwise: () => new Failure(`Another \`npm start\` is running on the database in ${place.data}. Stop it first.`),
  });
  await rm(join(place.data, 'postmaster.pid'), { force: true });
}

async function readPostmaster(place: PostgresPlace): Promise<{ pid: number; port: number } | undefined> {
  const content = await readFile(join(place.data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  const lines = content?.split('\n');
  return lines && { pid: Number(lines[0]), port: Number(lines[3]) };
}

/** Whether the process is alive and a PostgreSQL: process ids are reused, above all in containers. */
function isPostgres(pid: number | undefined): boolean {
  if (pid === undefined) {
    return false;
  }
  const command =
    process.platform === 'linux' ? ['cat', `/proc/${String(pid)}/comm`] : ['ps', '-p', String(pid), '-o', 'comm='];
  const [program = '', ...args] = command;
  return spawnSync(program, args, { encoding: 'utf8' }).stdout.includes('postgres');
}

async function waitUntilReady(server: SupervisedProcess, url: string): Promise<void> {
  await waitUntil(
    async () => {
      if (server.hasEnded()) {
        throw new Failure(`PostgreSQL did not start (${await server.ended}): ${server.lastOutput()}`);
      }
      return canConnect(url);
    },
    { withinMs: 30_000, otherwise: () => new Failure(`PostgreSQL is not ready after 30 s: ${server.lastOutput()}`) },
  );
}

async function canConnect(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: utcConnection(url), connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
