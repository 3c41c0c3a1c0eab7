import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { Clock } from '../../../shared/clock.js';
import { type HealthDetails, ReadinessRegistry, UnhealthyError } from '../../health/readiness-registry.js';
import { type Counter, type Gauge, Metrics } from '../../metrics/metrics.js';
import { PurgeRegistry } from '../../scheduling/purge-registry.js';
import { DurableReaderRegistry } from '../durable-reader-registry.js';
import { type EventPartition, EventPartitionStore, type Retained } from './event-partition-store.js';
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
const DEFAULT_ROWS_COUNTED = 10_000;
/** Readers and writers of the default partition, and every feed, wait while so many are moved: about 20 s. */
const MOVED_AT_MOST = 1_000_000;
/** Partitions for rows of the default one, and batches of old ones, in one round; the next round follows at once. */
const STEPS_PER_ROUND = 10;
/** A partition that is still there so long after its time has not only met a slow reader. */
const OVERDUE_MS = 86_400_000;

/** The name under which dropped events are counted. */
const RULE = 'purge_events';

/** Of the last round, as health shows it. */
interface Findings {
  readonly defaultRows: number;
  readonly failures: number;
  readonly partitions: number;
  /** Old partitions that are kept because their events came later than they say. */
  readonly misdated: number;
  /** Names of the durable readers that have not taken all events of old partitions. */
  readonly unreadBy: readonly string[];
  /** Locks of the server's table that all connections of all processes may need at once, and that it has. */
  readonly neededLocks: number;
  readonly locks: number;
}

/**
 * Keeps the partitions of the event log: makes them ahead of time and for events that found none, moves these there, and
 * drops what is older than the retention. Any process may do it at any moment, also several at once.
 */
@Injectable()
export class EventPartitionsService implements OnModuleInit {
  readonly #defaultRows: Gauge;
  readonly #steps: Counter<'step'>;
  readonly #width: PartitionWidth;
  #findings: Findings | undefined;

  constructor(
    private readonly store: EventPartitionStore,
    private readonly readers: DurableReaderRegistry,
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly readiness: ReadinessRegistry,
    private readonly purges: PurgeRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventPartitionsService.name);
    this.#width = widthFor(config.retention.eventsMs);
    this.#defaultRows = metrics.gauge(
      'mortise_events_default_rows',
      'Events in the default partition: anything above 0 for longer than ten minutes is an alarm.',
    );
    this.#steps = metrics.counter(
      'mortise_event_partitions_total',
      'Partitions of the event log that this process made or dropped.',
      ['step'],
    );
  }

  onModuleInit(): void {
    this.purges.declare(RULE, { tables: ['events'], keptFor: 'eventsMs' });
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
    const defaultRows = await this.countDefaultRows();
    const { now, partitions } = await this.store.list();
    const round = new PartitionRound(this.store, this.logger, this.#width, partitions);
    for (const span of missingWithin(partitions, this.#width, { from: now, to: now + MADE_AHEAD_MS })) {
      await round.make(span);
    }
    const readers = this.readers.list().map(({ name }) => name);
    const failures = round.failures;
    const isMoreOld = await round.dropBefore(this.retainedFrom(now), now, readers);
    const isFailed = round.failures > failures;
    const isMoreToMove = defaultRows > 0 && (await round.moveDefaultRows());
    this.#steps.inc({ step: 'made' }, round.made);
    this.#steps.inc({ step: 'dropped' }, round.dropped);
    await this.conclude(round, defaultRows > 0 ? await this.countDefaultRows() : 0);
    await this.recordDropped(round, isMoreOld, isFailed);
    return !round.isBlocked && round.failures === 0 && (isMoreToMove || isMoreOld);
  }

  private async recordDropped(round: PartitionRound, isMore: boolean, isFailed: boolean): Promise<void> {
    this.purges.addDeleted(RULE, round.deleted);
    const isLeft = isMore || round.isBlocked || round.unreadBy.size > 0;
    await this.purges.recordEnd(RULE, isFailed ? 'failed' : isLeft ? 'more' : 'caught_up');
  }

  /** By the clock that is behind: one that is ahead must not cost events. */
  private retainedFrom(databaseNow: number): number {
    return Math.min(databaseNow, this.clock.now()) - this.config.retention.eventsMs;
  }

  private async countDefaultRows(): Promise<number> {
    const events = await this.store.countDefaultRows(DEFAULT_ROWS_COUNTED);
    this.#defaultRows.set(events);
    if (events > 0) {
      this.logger.error({ events }, 'Events lie in the default partition');
    }
    return events;
  }

  private async conclude(round: PartitionRound, defaultRows: number): Promise<void> {
    const { indexes, locks, processes } = await this.store.lockRoom();
    const { count, failures, misdated } = round;
    const partitions = Math.max(count, partitionCount(this.#width, this.config.retention.eventsMs));
    const connections = Math.max(1, processes) * this.config.database.poolSize;
    // The log itself and the default partition come on top.
    const neededLocks = (partitions + 2) * (1 + indexes) * connections;
    if (neededLocks > locks && (this.#findings?.neededLocks ?? 0) <= locks) {
      this.logger.warn({ neededLocks, locks }, 'The lock table of PostgreSQL is too small for the event partitions');
    }
    const unreadBy = [...round.unreadBy];
    this.#findings = { defaultRows, failures, partitions: count, misdated, unreadBy, neededLocks, locks };
  }

  private report(): HealthDetails | undefined {
    if (!this.#findings) {
      return undefined;
    }
    const { defaultRows, failures, partitions, misdated, unreadBy, neededLocks, locks } = this.#findings;
    if (defaultRows > 0) {
      throw new UnhealthyError('events found no partition', { events: defaultRows, failures });
    }
    if (failures > 0) {
      throw new UnhealthyError('partitions could not be made or dropped', { failures });
    }
    if (unreadBy.length > 0) {
      throw new UnhealthyError('old events are kept until they are read', { readers: unreadBy.join(', ') });
    }
    if (neededLocks > locks) {
      throw new UnhealthyError('max_locks_per_transaction is too low', { neededLocks, locks });
    }
    return { partitions, width: this.#width, ...(misdated > 0 && { misdated }) };
  }
}

/** The steps of one round, each with a transaction of its own. */
class PartitionRound {
  failures = 0;
  made = 0;
  dropped = 0;
  misdated = 0;
  /** Old events that were dropped or deleted. */
  deleted = 0;
  /** Another process is at it, or the log is being read for so long: what is left can wait for the next round. */
  isBlocked = false;
  readonly unreadBy = new Set<string>();
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

  async make(span: TimeSpan): Promise<void> {
    await this.attempt('made', span, async () => {
      // Not in parts: each would be a partition more, and every read locks all of them.
      if ((await this.store.countDefaultRows(MOVED_AT_MOST + 1, span)) > MOVED_AT_MOST) {
        throw new Error(`More than ${String(MOVED_AT_MOST)} events would have to be moved: make it by hand.`);
      }
      const moved = await this.store.make(span);
      if (moved === null) {
        this.isBlocked = true;
        return;
      }
      this.#existing.push({ name: '', ...span });
      this.made++;
      this.logger.info({ ...asDates(span), moved }, 'An event partition was made');
    });
  }

  /** @returns whether there may be more */
  async moveDefaultRows(): Promise<boolean> {
    let after = -Infinity;
    for (let step = 0; step < STEPS_PER_ROUND && !this.isBlocked; step++) {
      const at = await this.store.oldestDefaultRow(after);
      if (at === null) {
        return false;
      }
      const span = missingAround(this.#existing, this.width, at);
      await this.make(span);
      after = span.to;
    }
    return true;
  }

  /**
   * Drops old events, unless a reader has not taken them yet, or they came later than they say: those end with the events
   * among which they came.
   * @returns whether there may be more
   */
  async dropBefore(time: number, now: number, readers: readonly string[]): Promise<boolean> {
    const old = this.#existing.filter(({ name, to }) => name !== '' && to <= time);
    const kept = this.#existing.filter(({ to }) => to > time).map(({ from }) => from);
    const retained: Retained = { from: Math.min(time, ...kept), now, readers };
    let steps = 0;
    for (const partition of old.sort((a, b) => a.from - b.from)) {
      if (this.isBlocked || steps === STEPS_PER_ROUND) {
        break;
      }
      await this.attempt('dropped', partition, async () => {
        const { unreadBy, isMisdated } = await this.store.whyKept(partition, retained);
        if (unreadBy.length > 0 || isMisdated) {
          unreadBy.forEach((reader) => this.unreadBy.add(reader));
          this.misdated += isMisdated ? 1 : 0;
          return;
        }
        steps++;
        await this.drop(partition, time);
      });
    }
    const rest = { from: -Infinity, to: time };
    const batch = await this.attempt('emptied', rest, () => this.store.deleteDefaultRows(time, retained));
    this.deleted += batch?.deleted ?? 0;
    return steps === STEPS_PER_ROUND || batch?.more === true;
  }

  private async drop({ name, to }: EventPartition, before: number): Promise<void> {
    const { dropped, deleted } = await this.store.drop(name, before);
    if (dropped) {
      this.dropped++;
      this.deleted += deleted;
      this.logger.info(
        { partition: name, deleted },
        'An event partition was dropped: it is older than RETENTION_EVENTS',
      );
    } else if (dropped === null) {
      this.isBlocked = true;
      if (to < before - OVERDUE_MS) {
        throw new Error('Another process, or a reader, was in the way.');
      }
    }
  }

  private async attempt<T>(what: string, span: TimeSpan, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.failures++;
      this.logger.error({ err: error, ...asDates(span) }, `An event partition was not ${what}; it is tried again`);
      return undefined;
    }
  }
}

/** For people; without what has no beginning or end. */
function asDates(span: TimeSpan): Record<string, Date> {
  const bounds = Object.entries({ from: span.from, to: span.to }).filter(([, at]) => Number.isFinite(at));
  return Object.fromEntries(bounds.map(([name, at]) => [name, new Date(at)]));
}
