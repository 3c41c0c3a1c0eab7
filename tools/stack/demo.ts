import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseUrl } from './application.js';
import { Failure } from './failure.js';
import { stateFolder } from './paths.js';
import { type StartSettings } from './settings.js';

/** The demo account and its devices, ready to be used. */
export interface Demo {
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly locks: readonly DemoLock[];
}

export interface DemoLock {
  readonly name: string;
  readonly deviceId: string;
  readonly token: string;
}

/** What the clone remembers: a device's token is answered once, at its registration. */
interface Memory {
  password?: string;
  readonly tokens: Record<string, string>;
}

interface Device {
  readonly id: string;
  readonly hardwareId: string;
}

const EMAIL = 'demo@mortise.example';
const WELL_KNOWN_PASSWORD = 'knock-three-times-please';
const LOOPBACK = /^(localhost|127\..*|::1)$/;
const LOCKS = [
  { name: 'Front door', hardwareId: 'DEMO-FRONT-DOOR', room: 'Hall' },
  { name: 'Garage', hardwareId: 'DEMO-GARAGE', room: 'Garage' },
];

/** Makes sure of one account with two locks, through the public interface alone and as often as it is called. */
export async function prepareDemo(settings: StartSettings): Promise<Demo> {
  const file = join(await stateFolder(), 'demo.json');
  const memory = JSON.parse(await readFile(file, 'utf8').catch(() => '{"tokens":{}}')) as Memory;
  // No password that is published in the repository for a database that may hold real data, or where others can reach the API.
  const isPrivate = settings.databaseUrl === undefined && LOOPBACK.test(settings.host);
  const { password = isPrivate ? WELL_KNOWN_PASSWORD : newPassword() } = memory;
  memory.password = password;
  await writeFile(file, JSON.stringify(memory), { mode: 0o600 });

  const client = new DemoClient(baseUrl(settings));
  let accessToken = await client.signIn(password);
  if (password === WELL_KNOWN_PASSWORD && !isPrivate) {
    memory.password = newPassword();
    await client.changePassword(password, memory.password);
    await writeFile(file, JSON.stringify(memory), { mode: 0o600 });
    accessToken = await client.signIn(memory.password);
  }
  const existing = await client.listDevices();
  const locks: DemoLock[] = [];
  for (const lock of LOCKS) {
    const device = existing.find(({ hardwareId }) => hardwareId === lock.hardwareId);
    const token = device && memory.tokens[device.id];
    locks.push({ name: lock.name, ...(token ? { deviceId: device.id, token } : await client.replace(device, lock)) });
  }
  const tokens = Object.fromEntries(locks.map(({ deviceId, token }) => [deviceId, token]));
  await writeFile(file, JSON.stringify({ ...memory, tokens }), { mode: 0o600 });
  return { email: EMAIL, password: memory.password, accessToken, locks };
}

function newPassword(): string {
  return randomBytes(15).toString('base64url');
}

/** The few calls of the REST API that the demo makes. */
class DemoClient {
  private accessToken = '';

  constructor(private readonly base: string) {}

  async signIn(password: string): Promise<string> {
    const credentials = { identifier: EMAIL, password };
    let response = await this.send('POST', '/auth/login', credentials);
    if (response.status === 401) {
      await this.expect(this.send('POST', '/auth/register', { email: EMAIL, password, displayName: 'Demo' }));
      response = await this.send('POST', '/auth/login', credentials);
    }
    const { accessToken } = await this.expect<{ accessToken: string }>(Promise.resolve(response));
    this.accessToken = accessToken;
    return accessToken;
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    await this.expect(this.send('POST', '/auth/password', { currentPassword, newPassword }));
  }

  async listDevices(): Promise<readonly Device[]> {
    return (await this.expect<{ items: Device[] }>(this.send('GET', '/devices?limit=100'))).items;
  }

  /** Registers a lock, after removing an earlier one whose token is lost. */
  async replace(lost: Device | undefined, lock: object): Promise<{ deviceId: string; token: string }> {
    if (lost) {
      await this.expect(this.send('DELETE', `/devices/${lost.id}`));
    }
    const { device, deviceToken } = await this.expect<{ device: Device; deviceToken: string }>(
      this.send('POST', '/devices', { type: 'door_lock', ...lock }),
    );
    return { deviceId: device.id, token: deviceToken };
  }

  private send(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.base}/api/v1${path}`, {
      method,
      signal: AbortSignal.timeout(15_000),
      headers: {
        ...(this.accessToken && { authorization: `Bearer ${this.accessToken}` }),
        ...(body && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  private async expect<T>(pending: Promise<Response>): Promise<T> {
    const response = await pending;
    const text = await response.text();
    if (!response.ok) {
      throw new Failure(`The demo data could not be made: ${response.url} answered ${String(response.status)} ${text}`);
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
