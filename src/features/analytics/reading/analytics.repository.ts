import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { ClockStretch } from '../../../shared/time/wall-clock.js';
import type { AnalysedDevice, BucketCount, CountingState, LiveFacts, OfflineTime } from '../analytics.types.js';
import type { Span } from '../../../shared/time/quarters.js';
import { firstWholeQuarterOf, handoversIn } from '../../history/counts/counted-events.sql.js';
import { COUNTED_UNTIL, type CountsDivision, countsStatement, LIVE, OFFLINE } from './counts-sql.js';

/** What to count. */
export interface CountsQuestion {
  readonly devices: readonly AnalysedDevice[];
  readonly whole: Span;
  /** Read from the events themselves. */
  readonly edges: readonly Span[];
  /** A part of a quarter after a handover is read from events that were received since. */
  readonly keptSince: number;
  /** Where buckets begin, or what the clocks show. */
  readonly division:
    | { readonly by: Exclude<CountsDivision, 'clock'>; readonly starts: readonly number[] }
    | { readonly by: 'clock'; readonly stretches: readonly ClockStretch[] };
}

/** From here on, at the mean, it is faster to ask for each bucket of each device by itself. */
const LONG_BUCKET_MS = 6 * 3_600_000;
/** Each takes some 8 us however quiet its device is: of many quiet devices, more of them would take longer than their counts do. */
const MAX_ASKED_ALONE = 1_000;

const instant = (time: number): string => new Date(time).toISOString();

@Injectable()
export class AnalyticsRepository {
  constructor(private readonly database: Database) {}

  async findState(): Promise<CountingState> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<CountingState & Record<string, unknown>>('counting_state', COUNTED_UNTIL);
    if (!row) {
      throw new Error('The clock of the database did not answer.');
    }
    return row;
  }

  /** Counts of one moment of the log. */
  listCounts({ devices, whole, edges, keptSince, division }: CountsQuestion): Promise<BucketCount[]> {
    const handovers = handoversIn(whole, devices, keptSince);
    const hasHandovers = handovers.length > 0;
    const { by } = division;
    const hasLongBuckets =
      division.by !== 'clock' &&
      whole.until - whole.from >= division.starts.length * LONG_BUCKET_MS &&
      devices.length * division.starts.length <= MAX_ASKED_ALONE;
    const values = [
      devices.map(({ id }) => id),
      devices.map(({ since }) => instant(firstWholeQuarterOf(since))),
      devices.map(({ since }) => since?.toISOString() ?? null),
      instant(whole.from),
      instant(whole.until),
      ...(division.by === 'clock'
        ? [division.stretches.map(({ from }) => instant(from)), division.stretches.map(({ offset }) => offset / 1_000)]
        : [division.starts.map(instant)]),
      ...edges.flatMap(({ from, until }) => [instant(from), instant(until)]),
      ...(hasHandovers
        ? [
            handovers.map(({ id }) => id),
            handovers.map(({ from }) => instant(from)),
            handovers.map(({ until }) => instant(until)),
          ]
        : []),
    ];
    // With parts of events it is planned for their bounds each time: by them the planner sees how few they are.
    const name = edges.length > 0 || hasHandovers ? '' : `event_counts_by_${by}${hasLongBuckets ? '_summed' : ''}`;
    // SQL: something Prisma cannot say: xid8, and one snapshot of counts and events
    return this.database.query<BucketCount & Record<string, unknown>>(
      name,
      countsStatement({ edges: edges.length, hasHandovers, by }, hasLongBuckets),
      values,
    );
  }

  /** @param until the end of open periods */
  listOffline(
    devices: readonly { readonly id: string; readonly since: Date }[],
    bounds: readonly number[],
    until: Date,
  ): Promise<OfflineTime[]> {
    // SQL: something Prisma cannot say: overlaps, summed up
    return this.database.query<OfflineTime & Record<string, unknown>>('offline_periods_by_bucket', OFFLINE, [
      devices.map(({ id }) => id),
      devices.map(({ since }) => since.toISOString()),
      bounds.slice(0, -1).map(instant),
      bounds.slice(1).map(instant),
      until.toISOString(),
    ]);
  }

  async findLive(devices: readonly AnalysedDevice[], since: Date): Promise<LiveFacts> {
    // SQL: something Prisma cannot say: two counts of one moment
    const [row] = await this.database.query<LiveFacts & Record<string, unknown>>('', LIVE, [
      devices.map(({ id }) => id),
      since.toISOString(),
      devices.map((device) => device.since?.toISOString() ?? null),
    ]);
    return row ?? { inFlight: 0, recent: [] };
  }
}
