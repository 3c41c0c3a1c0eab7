import { expect } from '@jest/globals';
import { randomUUID, verify } from 'node:crypto';
import pg from 'pg';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { DispatchScheduler } from '../../src/features/commands/dispatch/dispatch-scheduler.js';
import { CommandSweeper } from '../../src/features/commands/dispatch/command-sweeper.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { type Account, createAccount } from './accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from './devices.fixture.js';
import { type Answer, request } from './rest.js';
import { ScriptedDevice } from './scripted-device.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

type SendOptions = NonNullable<Parameters<typeof sendCommand>[4]> & { readonly payload?: Record<string, unknown> };

/** A row of `commands`. */
export interface CommandRow {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly attempts: number;
  readonly confirmed_by: string;
  readonly counter: string | null;
  readonly error_code: string | null;
  readonly result: unknown;
  readonly late_result: Record<string, unknown> | null;
  readonly expires_at: Date;
  readonly timeout_at: Date | null;
  readonly sent_at: Date | null;
}

/** The API and the device line with one owner, scripted devices, and the rows of the commands. */
export class CommandHarness {
  readonly #devices: ScriptedDevice[] = [];

  private constructor(
    readonly app: TestApp,
    readonly owner: Account,
    readonly pool: pg.Pool,
  ) {}

  static async start(): Promise<CommandHarness> {
    const running = await TestApp.start({ env: { ROLES: 'api,hardware', DATABASE_POOL_SIZE: '16' } });
    const pool = new pg.Pool({ connectionString: utcConnection(running.databaseUrl), max: 4 });
    const publisher = running.get(DevicePublisher);
    await eventually('the line to the broker', () => publisher.isConnected());
    return new CommandHarness(running, await createAccount(running.url), pool);
  }

  /** Sends a command as the owner. */
  send(deviceId: string, name: string, { payload, ...rest }: SendOptions = {}): ReturnType<typeof sendCommand> {
    return sendCommand(this.app.url, this.owner, deviceId, { name, ...(payload ? { payload } : {}) }, rest);
  }

  /** @returns the id of a command that was accepted. */
  async sendAccepted(deviceId: string, name: string): Promise<string> {
    const { status, body } = await this.send(deviceId, name);
    expect(status).toBe(202);
    return body.id;
  }

  /** Sends a request as the owner. */
  request(method: string, path: string): Promise<Answer> {
    return request(this.app.url, method, path, { token: this.owner.accessToken });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.end()));
    await this.pool.end();
    await this.app.stop();
  }

  /** Ends the dispatch and sweeper loops, so that only the test moves commands. */
  async stopLoops(): Promise<void> {
    await this.app.get(CommandSweeper).beforeApplicationShutdown();
    await this.app.get(DispatchScheduler).beforeApplicationShutdown();
  }

  registerDevice(): Promise<RegisteredDevice> {
    return registerDevice(this.app.url, this.owner, 'Door');
  }

  /** A device that is connected, and whose birth is in the database. */
  async connectDevice(
    registered?: RegisteredDevice,
    boot?: string,
    birth: Parameters<ScriptedDevice['birth']>[0] = {},
  ): Promise<ScriptedDevice> {
    const account = registered ?? (await this.registerDevice());
    const device = await ScriptedDevice.connect(this.app.mqttUrl, account, { clientId: randomUUID() }, boot);
    this.#devices.push(device);
    await device.listen(['commands']);
    await device.birth(birth);
    await eventually('the birth in the database', () =>
      this.rows('SELECT 1 FROM devices d JOIN device_links l ON l.device_id = d.id WHERE d.id = $1 AND d.boot = $2', [
        device.id,
        device.boot,
      ]).then(({ length }) => length > 0),
    );
    return device;
  }

  /** Inserts a queued command past the API, without a signal to the dispatch. @returns its id. */
  async insertCommand(
    deviceId: string,
    name = 'unlock_door',
    more: { lifeS?: number; issuerId?: string | null } = {},
  ): Promise<string> {
    const bolt = name.endsWith('lock_door');
    const [row] = await this.rows<{ id: string }>(
      `INSERT INTO commands (id, device_id, issuer_id, name, lane, priority, payload, expires_at, correlation_id)
       VALUES (uuidv7(), $1, $2, $3, $4, $5, '{}', clock_timestamp() + $6 * interval '1 second', 'test') RETURNING id`,
      [
        deviceId,
        more.issuerId === undefined ? this.owner.id : more.issuerId,
        name,
        bolt ? 'bolt' : 'maintenance',
        name === 'lock_door' ? 0 : 1,
        more.lifeS ?? 15,
      ],
    );
    return row?.id ?? '';
  }

  /** Whether a device is online, and over which links. */
  async presenceOf(deviceId: string): Promise<{ status: string; links: string[] }> {
    const { body } = await this.request('GET', `/api/v1/devices/${deviceId}`);
    return { status: body.status as string, links: [...(body.links as string[])].sort() };
  }

  /** Its connections and their ends, oldest first. */
  async connectionEventsOf(deviceId: string): Promise<string[]> {
    const rows = await this.rows<{ type: string }>(
      `SELECT type FROM events WHERE device_id = $1 AND type IN ('device_connected', 'device_disconnected') ORDER BY xid, id`,
      [deviceId],
    );
    return rows.map(({ type }) => type);
  }

  async command(id: string): Promise<CommandRow> {
    const [row] = await this.rows<CommandRow>('SELECT * FROM commands WHERE id = $1', [id]);
    if (!row) {
      throw new Error(`No command ${id}.`);
    }
    return row;
  }

  /** Waits until the command is in this state. */
  waitForState(id: string, state: string): Promise<CommandRow> {
    return eventually(`${id} ${state}`, async () => {
      const row = await this.command(id);
      return row.state === state ? row : null;
    });
  }

  /** Types of the events about a command, in the order of their commits. */
  async eventTypes(id: string): Promise<string[]> {
    const rows = await this.rows<{ type: string }>(
      'SELECT type FROM events WHERE command_id = $1 ORDER BY version, xid, id',
      [id],
    );
    return rows.map(({ type }) => type);
  }

  /**
   * How long before it was received each of `count` motions in the history happened, in milliseconds, oldest first. The
   * history ends at the oldest transaction that is open in the whole cluster.
   */
  async motionAges(device: ScriptedDevice, count: number): Promise<number[]> {
    const path = `/api/v1/devices/${device.id}/events?type=motion_detected&order=asc`;
    const items = await eventually(`${String(count)} motions in the history`, async () => {
      const { body } = await this.request('GET', path);
      const found = body.items as { occurredAt: string; receivedAt: string }[];
      return found.length >= count && found;
    });
    return items.map(({ occurredAt, receivedAt }) => Date.parse(receivedAt) - Date.parse(occurredAt));
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  /** Whether one of the application's order keys made this signature. */
  async hasValidSignature({ order, kid, signature }: SignedOrder): Promise<boolean> {
    const key = await this.app.get(KeyStore).verificationKey('order', kid);
    return key !== null && verify(null, Buffer.from(order), key, Buffer.from(signature, 'base64url'));
  }
}

/** The path of a device's commands. */
export function commandsPath(deviceId: string, rest = ''): string {
  return `/api/v1/devices/${deviceId}/commands${rest}`;
}
