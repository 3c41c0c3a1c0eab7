import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { LinkKind } from '../../contracts/devices.js';
import type { WrittenHeartbeat } from '../../contracts/signals.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { type Counter, Metrics } from '../../platform/metrics/metrics.js';
import { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { Clock } from '../../shared/clock.js';
import { hasFallen } from './domain/uptime.js';
import type { Heartbeat, HeartbeatOutcome, HeldHeartbeat } from './presence.types.js';

const FLUSH_EVERY_MS = 1_000;
const MAX_BATCH = 500;
const MAX_HELD = 50_000;
/** Links opened at a time. */
const MAX_REOPENED = 2;

interface ReceivedHeartbeat extends Heartbeat {
  readonly deviceId: string;
  readonly link: LinkKind;
  /** On the monotonic clock. */
  readonly receivedAt: number;
}

type Flush = (beats: readonly HeldHeartbeat[]) => Promise<readonly HeldHeartbeat[]>;
type Reopen = (beat: HeldHeartbeat) => Promise<boolean>;

/**
 * Heartbeats between their arrival and the database: the newest of each device, written together once a second. A lost
 * heartbeat costs nothing, since the next one carries everything again.
 */
@Injectable()
export class HeartbeatBuffer implements BeforeApplicationShutdown {
  readonly #newest = new Map<string, ReceivedHeartbeat>();
  /** Keys of {@link #newest}. */
  readonly #batches = new MicroBatcher<string, undefined>({
    maxBatch: MAX_BATCH,
    connectsAs: 'line',
    maxParallel: 1,
    maxWaiting: MAX_HELD,
    delayMs: FLUSH_EVERY_MS,
    run: (keys) => this.write(keys),
  });
  /** Each may wait for the row of its device: the heartbeats of others do not wait with it. */
  readonly #reopenings = new MicroBatcher<HeldHeartbeat, undefined>({
    maxBatch: 1,
    connectsAs: 'line',
    maxParallel: MAX_REOPENED,
    maxWaiting: MAX_HELD,
    run: async (beats) => {
      await Promise.all(beats.map((beat) => this.reopen(beat)));
      return beats.map(() => undefined);
    },
  });
  readonly #dropped: Counter;
  #flush: Flush = () => Promise.resolve([]);
  #reopen: Reopen = () => Promise.resolve(false);

  constructor(
    private readonly clock: Clock,
    private readonly limiter: DeviceLimiter,
    private readonly logger: PinoLogger,
    metrics: Metrics,
    private readonly signals: SignalBus,
  ) {
    logger.setContext(HeartbeatBuffer.name);
    this.#dropped = metrics.counter(
      'mortise_heartbeats_dropped_total',
      'Heartbeats that found no room while the database was slow',
    );
  }

  /**
   * Sets how a batch is written, which answers with the heartbeats that have no link, and how the link of such a one is
   * opened, later, which answers whether it was.
   */
  onFlush(flush: Flush, reopen: Reopen): void {
    this.#flush = flush;
    this.#reopen = reopen;
  }

  hold(deviceId: string, link: LinkKind, heartbeat: Heartbeat): void {
    const key = `${deviceId}/${link}`;
    const earlier = this.#newest.get(key);
    if (earlier?.boot === heartbeat.boot && isOvertaken(heartbeat, earlier)) {
      return;
    }
    this.#newest.set(key, { ...heartbeat, deviceId, link, receivedAt: this.clock.monotonic() });
    if (!earlier) {
      this.#batches.submit(key).catch(() => {
        this.#newest.delete(key);
        this.#dropped.inc();
      });
    }
  }

  /** Tells the processes of dashboards what was written, the newest heartbeat of each device. */
  announce(beats: readonly HeldHeartbeat[], written: readonly HeartbeatOutcome[]): void {
    const newest = new Map<string, HeldHeartbeat>();
    for (const beat of beats) {
      if (beat.ageMs <= (newest.get(beat.deviceId)?.ageMs ?? Infinity)) {
        newest.set(beat.deviceId, beat);
      }
    }
    const told = written.flatMap((outcome) => {
      const beat = newest.get(outcome.deviceId);
      return beat ? [toWritten(beat, outcome)] : [];
    });
    if (told.length > 0) {
      const devices = new Set(told.map(({ deviceId }) => deviceId));
      const links = beats.filter(({ deviceId }) => devices.has(deviceId)).map(({ link }) => link);
      this.signals.publish('heartbeats_written', { beats: told, byKind: countOf(links) });
    }
  }

  /** Writes what is held now. Resolves when it is written, or has failed. */
  async flush(): Promise<void> {
    await this.#batches.flush();
    await this.#reopenings.flush();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  /**
   * A link that a heartbeat opens counts as a birth: after too many of them, a later heartbeat opens it. So it is with one
   * that may have waited: its connection may be over.
   */
  private async reopen(beat: HeldHeartbeat): Promise<void> {
    if (!beat.waitedMs && this.limiter.statusPauseMs(beat.deviceId) === 0 && (await this.#reopen(beat))) {
      this.limiter.countStatus(beat.deviceId);
    }
  }

  private async write(keys: readonly string[]): Promise<undefined[]> {
    const now = this.clock.monotonic();
    const beats = keys.flatMap((key) => {
      const beat = this.#newest.get(key);
      this.#newest.delete(key);
      return beat ? [toHeld(beat, now)] : [];
    });
    try {
      for (const beat of await this.#flush(beats)) {
        this.#reopenings.submit(beat).catch(() => {
          this.#dropped.inc();
        });
      }
    } catch (error) {
      this.logger.warn({ err: error, heartbeats: beats.length }, 'Heartbeats were not written; the next ones will be');
    }
    return keys.map(() => undefined);
  }
}

function countOf(links: readonly LinkKind[]): Partial<Record<LinkKind, number>> {
  const counts: Partial<Record<LinkKind, number>> = {};
  links.forEach((link) => (counts[link] = (counts[link] ?? 0) + 1));
  return counts;
}

/** With two hardware processes, the older heartbeat may arrive last. One that fell is the newer one. */
function isOvertaken({ uptimeMs }: Heartbeat, earlier: Heartbeat): boolean {
  if (earlier.uptimeMs === undefined) {
    return false;
  }
  return uptimeMs === undefined || (uptimeMs < earlier.uptimeMs && !hasFallen(earlier.uptimeMs, uptimeMs));
}

function toHeld({ receivedAt, ...beat }: ReceivedHeartbeat, now: number): HeldHeartbeat {
  return { ...beat, ageMs: now - receivedAt };
}

function toWritten(
  { deviceId, uptimeMs, battery, rssi, freeHeap }: HeldHeartbeat,
  { ownerId, organizationId, at }: HeartbeatOutcome,
): WrittenHeartbeat {
  return {
    deviceId,
    userId: ownerId,
    organizationId,
    at: at.toISOString(),
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(battery !== undefined && { battery }),
    ...(rssi !== undefined && { rssi }),
    ...(freeHeap !== undefined && { freeHeap }),
  };
}
