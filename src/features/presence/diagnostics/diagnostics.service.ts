import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { CutoffRegistry } from '../../../platform/mqtt/limits/cutoff-registry.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { Clock } from '../../../shared/clock.js';
import { DiagnosticsRepository } from './diagnostics.repository.js';
import { subscriptionOf } from '../domain/subscription.js';
import type { Diagnostics, HeldRefusals, RecentOrders, RecentOrdersReader } from './diagnostics.types.js';

const WRITE_EVERY_MS = 2_000;
const MAX_BATCH = 500;
/** Kinds of refusals, of all devices, that wait to be written. Further ones are counted in the metrics alone. */
const MAX_HELD = 5_000;
const MAX_DETAIL = 200;
const NO_ORDERS: RecentOrders = { lastOrder: null, lastAck: null };

/**
 * Tells each device why it was refused. Refusals of one kind are counted here and written together every two seconds: a
 * device that sends a thousand bad messages costs one row and no more. They keep the times at which they happened: these are
 * compared with the times of births and acks.
 */
@Injectable()
export class DiagnosticsService implements OnModuleInit, BeforeApplicationShutdown {
  #readOrders: RecentOrdersReader = () => Promise.resolve(NO_ORDERS);
  readonly #held = new Map<string, HeldRefusals>();
  /** Keys of {@link #held}. */
  readonly #batches = new MicroBatcher<string, undefined>({
    maxBatch: MAX_BATCH,
    connectsAs: 'line',
    maxParallel: 1,
    maxWaiting: MAX_HELD,
    delayMs: WRITE_EVERY_MS,
    run: (keys) => this.write(keys),
  });

  constructor(
    private readonly repository: DiagnosticsRepository,
    private readonly refusals: RejectedMessages,
    private readonly cutoffs: CutoffRegistry,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.refusals.onRefusal(({ deviceId, code, detail }) => {
      this.hold({ deviceId, code, detail: detail?.slice(0, MAX_DETAIL) ?? null, cutMs: null });
    });
    this.cutoffs.onCut(({ deviceId, code, forMs }) => {
      this.hold({ deviceId, code: 'cut_off', detail: `for ${code}`, cutMs: forMs });
    });
  }

  /** Sets how the orders of a device are read, which belong to a feature above. Call it in `onModuleInit`. */
  onReadOrders(read: RecentOrdersReader): void {
    this.#readOrders = read;
  }

  async get(deviceId: string): Promise<Diagnostics> {
    const [line, orders] = await Promise.all([this.repository.get(deviceId), this.#readOrders(deviceId)]);
    return { ...line, ...orders, subscription: subscriptionOf({ ...line, ...orders }) };
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#batches.flush();
  }

  private hold(kind: Omit<HeldRefusals, 'count' | 'firstAt' | 'lastAt'>): void {
    const now = this.clock.monotonic();
    const refusal: HeldRefusals = { ...kind, count: 1, firstAt: now, lastAt: now };
    const key = keyOf(refusal);
    const earlier = this.#held.get(key);
    this.#held.set(key, earlier ? merged(earlier, refusal) : refusal);
    if (!earlier) {
      this.#batches.submit(key).catch(() => {
        this.#held.delete(key);
      });
    }
  }

  private async write(keys: readonly string[]): Promise<undefined[]> {
    // A key may stand there twice: when it was held again while its first batch failed.
    const batch = [...new Set(keys)].flatMap((key) => this.#held.get(key) ?? []);
    keys.forEach((key) => this.#held.delete(key));
    try {
      await this.repository.record(batch, this.clock.monotonic());
    } catch (error) {
      // They are tried again one by one.
      batch.forEach((refusal) => {
        const later = this.#held.get(keyOf(refusal));
        this.#held.set(keyOf(refusal), later ? merged(refusal, later) : refusal);
      });
      throw error;
    }
    return keys.map(() => undefined);
  }
}

function keyOf({ deviceId, code }: HeldRefusals): string {
  return `${deviceId}/${code}`;
}

function merged(earlier: HeldRefusals, later: HeldRefusals): HeldRefusals {
  return {
    ...later,
    count: earlier.count + later.count,
    firstAt: earlier.firstAt,
    detail: later.detail ?? earlier.detail,
    cutMs: later.cutMs ?? earlier.cutMs,
  };
}
