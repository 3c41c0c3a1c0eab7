import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';
import { freePort } from '../../tools/stack/ports.js';
import { type Mosquitto, startMosquitto } from './mosquitto.js';
import { passwordFile } from './mosquitto-accounts.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

export interface BrokerAccount {
  readonly username: string;
  readonly password: string;
}

/**
 * Mosquitto as an operator runs it for Mortise: the configuration and the access list of deploy/mosquitto, accounts in a
 * file. Two accounts more hear orders, which not even the backend may: `spy`, and `repeater`, which may also send them.
 */
export class OperatedMosquitto {
  readonly spy = newAccount('spy');
  readonly repeater = newAccount('repeater');
  readonly #backend = newAccount('mortise');
  /** Passwords by username. */
  readonly #accounts = new Map([this.#backend, this.spy, this.repeater].map((one) => [one.username, one.password]));

  private constructor(
    readonly server: Mosquitto,
    /** The listener where one account may have several connections. */
    readonly backendUrl: string,
  ) {}

  /** @param window messages to one client without its acknowledgement, where it differs from the shipped number */
  static async start({ quiet = false, window = 1_000 } = {}): Promise<OperatedMosquitto> {
    const backendPort = await freePort();
    const shipped = join(ROOT, 'deploy', 'mosquitto');
    const [devices, ...rest] = (await readFile(join(shipped, 'mosquitto.conf'), 'utf8'))
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .map((line) => line.replace('listener 1884', `listener ${String(backendPort)} 127.0.0.1`))
      .map((line) => line.replace(/^max_inflight_messages .*/, `max_inflight_messages ${String(window)}`))
      .map((line) => line.replace(/\/mosquitto\/(config|data)\//, '%folder%/'));
    if (devices !== 'listener 1883') {
      throw new Error('deploy/mosquitto/mosquitto.conf does not begin with the listener of the devices any more.');
    }
    const acl = await readFile(join(shipped, 'acl'), 'utf8');
    const server = await startMosquitto({
      settings: rest,
      quiet,
      files: { passwords: '', acl: `${acl}${grant('spy', 'read')}${grant('repeater', 'readwrite')}` },
    });
    const broker = new OperatedMosquitto(server, `mqtt://127.0.0.1:${String(backendPort)}`);
    await broker.addAccounts([]);
    return broker;
  }

  /** Where devices log in: a new connection of an account ends the one before. */
  get deviceUrl(): string {
    return this.server.url;
  }

  /** What tells the application to use it; through a proxy, if its URL is given. */
  env(url = this.backendUrl): Record<string, string> {
    return { MQTT_URL: url, MQTT_USERNAME: this.#backend.username, MQTT_PASSWORD: this.#backend.password };
  }

  /** What the operator does with the answer of each registration, and with that of a rotation. */
  async addAccounts(devices: readonly RegisteredDevice[]): Promise<void> {
    devices.forEach(({ id, token }) => this.#accounts.set(id, token));
    await this.reload();
  }

  /** What the operator does when devices were revoked or deleted. */
  async removeAccounts(devices: readonly RegisteredDevice[]): Promise<void> {
    devices.forEach(({ id }) => this.#accounts.delete(id));
    await this.reload();
  }

  private async reload(): Promise<void> {
    const lines = passwordFile([...this.#accounts].map(([name, password]) => ({ name, password })));
    await writeFile(join(this.server.folder, 'passwords'), lines, { mode: 0o600 });
    const reloads = this.reloads;
    this.server.signal('SIGHUP');
    await eventually('Mosquitto has read its accounts', () => this.reloads > reloads);
  }

  private get reloads(): number {
    return this.server.log().split('Reloading config.').length;
  }
}

function grant(username: string, access: string): string {
  return `\nuser ${username}\ntopic ${access} v1/devices/+/commands\n`;
}

function newAccount(username: string): BrokerAccount {
  return { username, password: randomBytes(12).toString('hex') };
}
