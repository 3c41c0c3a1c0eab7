import { randomUUID, verify } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import pg from 'pg';
import type { AckMessage, StatusMessage } from '../../src/contracts/mqtt.js';
import type { Order, SignedOrder } from '../../src/contracts/orders.js';
import { DispatchScheduler } from '../../src/features/commands/dispatch/dispatch-scheduler.js';
import { CommandSweeper } from '../../src/features/commands/dispatch/command-sweeper.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { TestApp } from './test-app.js';
import { type Account, createAccount } from './accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

/** A row of the ledger, as PostgreSQL has it. */
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

/** The device's end of the line, played by hand: it hears orders and says what the test tells it to. */
export class HandLock {
  readonly orders: SignedOrder[] = [];

  private constructor(
    readonly id: string,
    readonly boot: string,
    private readonly client: MqttClient,
  ) {}

  static async connect(mqttUrl: string, device: RegisteredDevice, boot: string = randomUUID()): Promise<HandLock> {
    const client = connect(mqttUrl, {
      clientId: randomUUID(),
      username: device.id,
      password: device.token,
      reconnectPeriod: 0,
    });
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => {
        resolve();
      });
      client.once('error', reject);
    });
    const lock = new HandLock(device.id, boot, client);
    client.on('message', (_topic, payload) => lock.orders.push(JSON.parse(payload.toString()) as SignedOrder));
    await client.subscribeAsync(`v1/devices/${device.id}/commands`, { qos: 1 });
    return lock;
  }

  birth(facts: Partial<Extract<StatusMessage, { online: true }>> = {}): Promise<unknown> {
    return this.say('status', { online: true, boot: this.boot, uptimeMs: 60_000, ...facts });
  }

  ack(message: AckMessage): Promise<unknown> {
    return this.say('acks', message);
  }

  report(seq: number, data: Record<string, unknown>): Promise<unknown> {
    return this.say('events', { seq, boot: this.boot, type: 'door_status_changed', data });
  }

  /** The inside of what was heard. */
  get heard(): Order[] {
    return this.orders.map(({ order }) => JSON.parse(order) as Order);
  }

  /** Waits for the `count`th order and answers it. */
  async hear(count = 1): Promise<Order> {
    return eventually(`order ${String(count)} at the lock`, () => this.heard[count - 1]);
  }

  async leave(): Promise<void> {
    await this.client.endAsync(true);
  }

  private say(channel: string, message: unknown): Promise<unknown> {
    return this.client.publishAsync(`v1/devices/${this.id}/${channel}`, JSON.stringify(message), { qos: 1 });
  }
}

/** The real application with one owner, a look at the rows, and locks played by hand. */
export class CommandHarness {
  readonly #locks: HandLock[] = [];

  private constructor(
    readonly app: TestApp,
    readonly owner: Account,
    readonly pool: pg.Pool,
  ) {}

  static async start(): Promise<CommandHarness> {
    const running = await TestApp.start({ env: { ROLES: 'api,hardware', DATABASE_POOL_SIZE: '16' } });
    const pool = new pg.Pool({ connectionString: running.databaseUrl, max: 4 });
    const publisher = running.get(DevicePublisher);
    await eventually('the line to the broker', () => publisher.isConnected());
    return new CommandHarness(running, await createAccount(running.url), pool);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#locks.map((lock) => lock.leave()));
    await this.pool.end();
    await this.app.stop();
  }

  /** Ends the loops: from now on only the test moves commands. */
  async stopLoops(): Promise<void> {
    await this.app.get(CommandSweeper).beforeApplicationShutdown();
    await this.app.get(DispatchScheduler).beforeApplicationShutdown();
  }

  registerDevice(): Promise<RegisteredDevice> {
    return registerDevice(this.app.url, this.owner, 'Door');
  }

  /** A lock that is connected and known. */
  async connectDevice(
    device?: RegisteredDevice,
    boot?: string,
    birth: Parameters<HandLock['birth']>[0] = {},
  ): Promise<HandLock> {
    const lock = await HandLock.connect(this.app.mqttUrl, device ?? (await this.registerDevice()), boot);
    this.#locks.push(lock);
    await lock.birth(birth);
    await eventually('the birth in the registry', () =>
      this.rows('SELECT 1 FROM devices d JOIN device_links l ON l.device_id = d.id WHERE d.id = $1 AND d.boot = $2', [
        lock.id,
        lock.boot,
      ]).then(({ length }) => length > 0),
    );
    return lock;
  }

  /** Queues a command past the API: nobody is told. @returns its id. */
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

  /** What the log tells of a command, in the order of its commits. */
  async eventTypes(id: string): Promise<string[]> {
    const rows = await this.rows<{ type: string }>(
      'SELECT type FROM events WHERE command_id = $1 ORDER BY version, xid, id',
      [id],
    );
    return rows.map(({ type }) => type);
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  /** Whether one of our order keys made this signature. */
  async hasValidSignature({ order, kid, signature }: SignedOrder): Promise<boolean> {
    const key = await this.app.get(KeyStore).verificationKey('order', kid);
    return key !== null && verify(null, Buffer.from(order), key, Buffer.from(signature, 'base64url'));
  }
}
