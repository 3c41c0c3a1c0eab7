/**
 * docker-compose.yml, replayed: each service by the program of its image, with the environment, the command lines, the paths and the
 * files that Compose would give it, in the order that it says, to a first unlock. What is replaced, and what is not played, is
 * said in test/support/compose.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../../tools/stack/paths.js';
import { keysFromUrl } from '../../tools/virtual-lock/key-ring.js';
import { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { type Account, signIn } from '../support/accounts.fixture.js';
import { ComposeReplay } from '../support/compose/compose-replay.js';
import type { Outcome } from '../support/compose/container.js';
import { registerDevice, sendCommand } from '../support/devices.fixture.js';
import { newMasterKey } from '../support/installation.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

const ADMIN = { email: 'you@example.com', password: 'seven brown doors stand open' };

let folder: string;
let compose: ComposeReplay;
let url: string;
let lock: VirtualLock | undefined;
/** The commands that docs/operations.md has a newcomer type, in their order. */
let typed: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-compose-'));
  // Passwords as generators make them, and settings of a clone that runs without Compose: neither may get in the way.
  const settings = {
    POSTGRES_PASSWORD: 'a/b+c@d:e%41?f&g=h',
    MQTT_PASSWORD: 'i/j+k@l:m%41?n&o=p',
    MASTER_KEY: newMasterKey(),
    PORT: '8080',
    MQTT_PORT: '8883',
    HOST: '127.0.0.1',
    DATABASE_URL: 'postgresql://localhost:1/elsewhere',
    LOG_LEVEL: 'warn',
    DRAIN_DELAY: '0s',
  };
  const dotenv = join(folder, '.env');
  await writeFile(
    dotenv,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  compose = await ComposeReplay.of(join(ROOT, 'docker-compose.yml'), dotenv);
  typed = (await readFile(join(ROOT, 'docs', 'operations.md'), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('docker compose '))
    .map((line) => line.slice('docker compose '.length));
}, 60_000);

afterAll(async () => {
  await lock?.stop();
  await compose.down();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** Types the next of the commands, with the words in angle brackets filled in. */
async function type(begin: string, filled: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const line = typed.find((one) => one.startsWith(begin)) ?? '';
  const words = line.replaceAll(/<([a-z ]+)>/g, (_, name: string) => filled[name] ?? '').split(' ');
  const [verb = '', ...rest] = words.filter((word) => !['--rm', '--signal'].includes(word));
  const [service = '', ...argv] = rest;
  switch (verb) {
    case 'run':
      return compose.run(service, argv, { ADMIN_PASSWORD: ADMIN.password });
    case 'exec':
      return compose.exec(service, argv);
    case 'kill':
      compose.kill(argv[0] ?? '', `SIG${service}` as NodeJS.Signals);
      return { code: 0, said: '' };
    default:
      throw new Error(`docs/operations.md does not say \`docker compose ${begin}\` any more.`);
  }
}

describe('docker compose up', () => {
  it('starts every service, and answers at the port that .env names', async () => {
    await compose.up();
    await compose.healthy('mortise');
    url = `http://${compose.published('mortise', 8080)}`;
    const { body } = await request<{ status: string }>(url, 'GET', '/api/health');
    expect(body.status).toBe('ok');
  }, 90_000);

  it('leads to a first unlock by what docs/operations.md says', async () => {
    expect(await type('run')).toMatchObject({
      code: 0,
      said: expect.stringContaining(`${ADMIN.email} is an admin now`),
    });
    const admin = { ...ADMIN, ...(await signIn(url, ADMIN.email, ADMIN.password)), id: '' } satisfies Account;
    const device = await registerDevice(url, admin);
    const filled = { 'device id': device.id, 'device token': device.token };
    expect(await type('exec', filled)).toMatchObject({ code: 0 });
    await type('kill');

    const said: string[] = [];
    lock = new VirtualLock({
      deviceId: device.id,
      token: device.token,
      url: `mqtt://${compose.published('mosquitto', 8883)}`,
      keys: keysFromUrl(`${url}/.well-known/order-keys.json`),
      log: (_kind, line) => said.push(`${new Date().toISOString()} ${line}`),
    });
    await lock.start();
    await eventually('the lock is online', async () => {
      const { body } = await request(url, 'GET', `/api/v1/devices/${device.id}`, { token: admin.accessToken });
      return body.status === 'online';
    });
    const { body } = await sendCommand(url, admin, device.id, { name: 'unlock_door' }, { waitSeconds: 10 });
    // What the programs said tells why an order is late.
    const late = body.state !== 'EXECUTED' && { body, said, output: compose.container('mortise').output };
    expect(late).toBe(false);
  }, 60_000);

  it('leaves the three connections of the backend alone', async () => {
    const { body } = await request<{ status: string }>(url, 'GET', '/api/health');
    expect(body.status).toBe('ok');
    const taken = /already connected, closing old connection/;
    expect(compose.container('mosquitto').output).not.toMatch(taken);
  });
});
