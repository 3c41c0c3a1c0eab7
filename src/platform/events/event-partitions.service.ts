import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { type HealthDetails, ReadinessRegistry, UnhealthyError } from '../health/readiness-registry.js';
import { type Gauge, Metrics } from '../metrics/metrics.js';
import { type EventPartition, EventPartitionStore } from './event-partition-store.js';
import {
  MADE_AHEAD_MS,
  missingAround,
  missingWithin,
  partitionCount,
  type PartitionWidth,
  type TimeSpan,
  widthFor,
} from './partition-calendar.js';

/** More would only make the count slow. */
const STRAYS_COUNTED = 10_000;
/** Readers and writers wait while so many are moved: about a second. */
const MOVED_AT_ONCE = 50_000;
/** Partitions for strays, and batches of old ones, in one round; the next round follows at once. */
const STEPS_PER_ROUND = 10;

/** Of the last round, as health shows it. */
interface Findings {
  readonly strays: number;
  readonly failures: number;
  readonly partitions: number;
  /** Locks of the server's table that all connections of this process may need at once, and that it has. */
  readonly neededLocks: number;
  readonly locks: number;
}

/**
 * Keeps the partitions of the event log: makes them ahead of time and for events that found none, moves these there, and
 * drops what is older than the retention. Any process may do it at any moment, also several at once.
 */
@Injectable()
export class EventPartitionsService implements OnModuleInit {
  readonly #strays: Gauge;
  readonly #width: PartitionWidth;
  #findings: Findings | undefined;

  constructor(
    private readonly store: EventPartitionStore,
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly readiness: ReadinessRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventPartitionsService.name);
    this.#width = widthFor(config.retention.eventsMs);
    this.#strays = metrics.gauge(
      'mortise_events_default_rows',
      'Events in the default partition: anything above 0 for longer than ten minutes is an alarm.',
    );
  }

  onModuleInit(): void {
    this.readiness.register({
      name: 'event_partitions',
      critical: false,
      check: async () => Promise.resolve(this.report()),
    });
  }

  /**
   * One round. What fails in it is tried again in the next, and keeps nothing else from being done.
   * @returns whether there is more to do at once
   */
  async maintain(): Promise<boolean> {
    // First, and whatever becomes of the rest: it is the alarm.
    const strays = await this.countStrays();
    const { now, partitions } = await this.store.list();
    const round = new PartitionRound(this.store, this.logger, this.#width, partitions);
    for (const span of missingWithin(partitions, this.#width, { from: now, to: now + MADE_AHEAD_MS })) {
      await round.make(span);
    }
    const moreOld = await round.dropBefore(this.retainedFrom(now));
    const moreStrays = strays > 0 && (await round.moveStrays());
    await this.conclude(round, strays > 0 ? await this.countStrays() : 0);
    return round.failures === 0 && (moreStrays || moreOld);
  }

  /** By the clock that is behind: one that is ahead must not cost events. */
  private retainedFrom(databaseNow: number): number {
    return Math.min(databaseNow, this.clock.now()) - this.config.retention.eventsMs;
  }

  private async countStrays(): Promise<number> {
    const strays = await this.store.countStrays(STRAYS_COUNTED);
    this.#strays.set(strays);
    if (strays > 0) {
      this.logger.error({ strays }, 'Events lie in the default partition');
    }
    return strays;
  }

  private async conclude({ count, failures }: PartitionRound, strays: number): Promise<void> {
    const { indexes, locks } = await this.store.lockRoom();
    const partitions = Math.max(count, partitionCount(this.#width, this.config.retention.eventsMs));
    // The log itself and the default partition come on top.
    const neededLocks = (partitions + 2) * (1 + indexes) * this.config.database.poolSize;
    if (neededLocks > locks && this.#findings === undefined) {
      this.logger.warn({ neededLocks, locks }, 'The lock table of PostgreSQL is too small for the event partitions');
    }
    this.#findings = { strays, failures, partitions: count, neededLocks, locks };
  }

  private report(): HealthDetails | undefined {
    if (!this.#findings) {
      return undefined;
    }
    const { strays, failures, partitions, neededLocks, locks } = this.#findings;
    if (strays > 0) {
      throw new UnhealthyError('events found no partition', { events: strays });
    }
    if (failures > 0) {
      throw new UnhealthyError('partitions could not be made or dropped', { failures });
    }
    if (neededLocks > locks) {
      throw new UnhealthyError('max_locks_per_transaction is too low', { neededLocks, locks });
    }
    return { partitions, width: this.#width };
  }
}

/** The steps of one round, each with a transaction of its own. */
class PartitionRound {
  failures = 0;
  readonly #existing: EventPartition[];

  constructor(
    private readonly store: EventPartitionStore,
    private readonly logger: PinoLogger,
    private readonly width: PartitionWidth,
    existing: readonly EventPartition[],
  ) {
    this.#existing = [...existing];
  }

  get count(): number {
    return this.#existing.length;
  }

  /**
   * Makes a partition, or several shorter ones where too many events are to be moved at once.
   * @returns false when it was not made: another process is at it, or it failed
   */
  async make(span: TimeSpan): Promise<boolean> {
    for (let { from } = span; from < span.to;) {
      const to = await this.attempt('made', { from, to: span.to }, async () => {
        const end = (await this.store.endOfStrays({ from, to: span.to }, MOVED_AT_ONCE)) ?? span.to;
        const moved = await this.store.make({ from, to: end });
        if (moved === null) {
          return undefined;
        }
        this.logger.info({ from: new Date(from), to: new Date(end), moved }, 'An event partition was made');
        return end;
      });
      if (to === undefined) {
        return false;
      }
      this.#existing.push({ name: '', from, to });
      from = to;
    }
    return true;
  }

  /** @returns whether there may be more */
  async moveStrays(): Promise<boolean> {
    let after = -Infinity;
    for (let step = 0; step < STEPS_PER_ROUND; step++) {
      const at = await this.store.oldestStray(after);
      if (at === null) {
        return false;
      }
      const span = missingAround(this.#existing, this.width, at);
      await this.make(span);
      after = span.to;
    }
    return true;
  }

  /** @returns whether there may be more */
  async dropBefore(time: number): Promise<boolean> {
    const old = this.#existing.filter(({ name, to }) => name !== '' && to <= time);
    for (const { name, ...span } of old.slice(0, STEPS_PER_ROUND)) {
      const dropped = await this.attempt('dropped', span, () => this.store.drop(name, time));
      if (dropped) {
        this.logger.info({ partition: name }, 'An event partition was dropped: it is older than RETENTION_EVENTS');
      }
    }
    const more = await this.attempt('emptied', { from: -Infinity, to: time }, () => this.store.deleteStrays(time));
    return old.length > STEPS_PER_ROUND || more === true;
  }

  private async attempt<T>(what: string, { from, to }: TimeSpan, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.failures++;
      this.logger.error({ err: error, from, to }, `An event partition was not ${what}; it is tried again`);
      return undefined;
    }
  }
}
