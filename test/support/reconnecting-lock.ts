import { performance } from 'node:perf_hooks';
import type { Order } from '../../src/contracts/orders.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { ScriptedDevice } from './scripted-device.js';

const HEARTBEAT_MS = 1_000;
/** A lock that has been up for a day. */
const UP_MS = 86_400_000;

/** What became of an order. */
export interface AnsweredOrder {
  readonly commandId: string;
  /** It came after its deadline on the uptime of the lock. */
  readonly refused: boolean;
  /** It was carried out after its deadline, by a clock that is right. */
  readonly late: boolean;
  /** By how much its deadline on the uptime was before the one by a clock that is right, in milliseconds. */
  readonly lostMs: number;
}

/** A lock that answers orders by its uptime, beats, and can reconnect under the same boot id. */
export class ReconnectingLock {
  readonly orders: AnsweredOrder[] = [];
  readonly #startedAt = performance.now() - UP_MS;
  #line: ScriptedDevice | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    private readonly device: RegisteredDevice,
    private readonly boot: string,
  ) {}

  async connect(): Promise<void> {
    const line = await ScriptedDevice.born(this.url, this.device, this.boot, {}, this.uptimeMs);
    line.client.on('message', (topic, payload) => {
      if (topic.endsWith('/commands')) {
        const { order } = JSON.parse(payload.toString()) as { order: string };
        this.answer(line, JSON.parse(order) as Order);
      }
    });
    this.#line = line;
    this.#heartbeat = setInterval(() => {
      this.beat().catch(() => undefined);
    }, HEARTBEAT_MS);
  }

  /** Sends a heartbeat, and waits until the broker has it. */
  async beat(): Promise<void> {
    await this.#line?.publish('heartbeat', { boot: this.boot, uptimeMs: this.uptimeMs });
  }

  /** Drops the connection, so that the broker publishes its will, and makes another one. */
  async reconnect(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#line?.cut();
    await this.#line?.end();
    await this.connect();
  }

  /** Sends no more heartbeats, until it reconnects. */
  hush(): void {
    clearInterval(this.#heartbeat);
  }

  /** When it started, in milliseconds since 1970. */
  get startedAt(): number {
    return Date.now() - this.uptimeMs;
  }

  get id(): string {
    return this.device.id;
  }

  async end(): Promise<void> {
    this.hush();
    await this.#line?.end();
  }

  private get uptimeMs(): number {
    return Math.floor(performance.now() - this.#startedAt);
  }

  private answer(line: ScriptedDevice, { commandId, expiresAtUptimeMs, expiresAt }: Order): void {
    const known = this.orders.find((order) => order.commandId === commandId);
    const leftMs = expiresAtUptimeMs - this.uptimeMs;
    const trulyLeftMs = Date.parse(expiresAt) - Date.now();
    const refused = known?.refused ?? leftMs <= 0;
    if (!known) {
      this.orders.push({ commandId, refused, late: !refused && trulyLeftMs < 0, lostMs: trulyLeftMs - leftMs });
    }
    const verdict = refused
      ? ({ status: 'failed', errorCode: 'deadline_passed' } as const)
      : ({ status: 'executed' } as const);
    void line.ack({ commandId, ...verdict }).catch(() => undefined);
  }
}
