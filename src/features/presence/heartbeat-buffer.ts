import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { LinkKind } from '../../contracts/devices.js';
import { type Counter, Metrics } from '../../platform/metrics/metrics.js';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Clock } from '../../shared/clock.js';
import type { Heartbeat, HeldHeartbeat } from './presence.types.js';

const FLUSH_EVERY_MS = 1_000;
const MAX_BATCH = 500;
const MAX_HELD = 50_000;

interface Held extends Heartbeat {
  readonly deviceId: string;
  readonly link: LinkKind;
  readonly heardAt: number;
}

type Flush = (beats: readonly HeldHeartbeat[]) => Promise<void>;

/**
 * Heartbeats between hearing and writing: the newest of each device, written together once a second. Losing them
 * costs nothing, since the next one says it all again.
 */
@Injectable()
export class HeartbeatBuffer implements BeforeApplicationShutdown {
  readonly #held = new Map<string, Held>();
  readonly #dropped: Counter;
  #flush: Flush = () => Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(HeartbeatBuffer.name);
    this.#dropped = metrics.counter(
      'mortise_heartbeats_dropped_total',
      'Heartbeats that found no room while the database was slow',
    );
  }

  /** How a batch is written. */
  onFlush(flush: Flush): void {
    this.#flush = flush;
  }

  hold(deviceId: string, link: LinkKind, heartbeat: Heartbeat): void {
    const key = `${deviceId}/${link}`;
    const earlier = this.#held.get(key);
    if (!earlier && this.#held.size >= MAX_HELD) {
      this.#dropped.inc();
      return;
    }
    // Through two hardware processes the older one may come last.
    if (earlier?.boot === heartbeat.boot && earlier.uptimeMs > heartbeat.uptimeMs) {
      return;
    }
    this.#held.set(key, { ...heartbeat, deviceId, link, heardAt: this.clock.monotonic() });
    if (this.#held.size >= MAX_BATCH) {
      void this.flush();
    } else {
      this.#timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS).unref();
    }
  }

  /** Writes what is held now. Resolves when it is written, or given up. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing ??= outsideTransaction(() => this.writeAll()).finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private async writeAll(): Promise<void> {
    while (this.#held.size > 0) {
      const batch = [...this.#held].slice(0, MAX_BATCH);
      batch.forEach(([key]) => this.#held.delete(key));
      const now = this.clock.monotonic();
      try {
        await this.#flush(batch.map(([, { heardAt, ...beat }]) => ({ ...beat, ageMs: now - heardAt })));
      } catch (error) {
        this.logger.warn(
          { err: error, heartbeats: batch.length },
          'Heartbeats were not written; the next ones will be',
        );
        return;
      }
    }
  }
}
