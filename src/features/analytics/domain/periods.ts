import { QUARTER_MS, type Span } from '../../../shared/time/quarters.js';
import { firstInstantShowing, shownAt } from '../../../shared/time/wall-clock.js';
import { type Bucket, boundsOf, DAY_MS, dayShownAt, pointsAbout, startOfDay } from './time-buckets.js';

export const PERIODS = ['24h', '7d', '30d', 'custom'] as const;
export type PeriodName = (typeof PERIODS)[number];

/** A course has at most so many points. */
export const MAX_POINTS = 800;

/** What time is asked about. */
export interface AskedPeriod {
  readonly period: PeriodName;
  /** Both for `custom` alone; without the second one it lasts until now. */
  readonly from?: number;
  readonly until?: number;
  readonly bucket?: Bucket;
}

/** A time, cut into points, and the time that it is compared with. */
export interface Period extends Span {
  readonly timeZone: string;
  readonly bucket: Bucket;
  /** Where points begin, and the end. */
  readonly bounds: readonly number[];
  readonly previous: Span;
}

/** Why there is no such period. */
export type PeriodFault = 'needs_from' | 'not_custom' | 'empty' | 'too_many_points';

const DAYS = { '7d': 7, '30d': 30 } as const;
const HOUR_MS = 4 * QUARTER_MS;
/** The bucket of a custom time that is at most so long, unless it is asked for. */
const AUTOMATIC: readonly (readonly [Bucket, number])[] = [
  ['quarter', 6 * HOUR_MS],
  ['hour', 3 * DAY_MS],
  ['day', 92 * DAY_MS],
  ['week', 366 * DAY_MS],
];

/**
 * A running period ends with the present quarter of an hour. 24 hours are that of now and 23 before it; days are today and those before
 * it, by the calendar of the zone. It is compared with the same time of so many hours or days before; a custom one with the time just
 * before it that is as long.
 */
export function resolvePeriod(asked: AskedPeriod, timeZone: string, now: number): Period | PeriodFault {
  const end = Math.floor(now / QUARTER_MS) * QUARTER_MS + QUARTER_MS;
  const { period, bucket } = asked;
  if (period === 'custom') {
    return resolveCustom(asked, end, timeZone);
  }
  if (asked.from !== undefined || asked.until !== undefined) {
    return 'not_custom';
  }
  return period === '24h'
    ? cut(lastHours(now, end, timeZone), bucket ?? 'hour', timeZone)
    : cut(lastDays(DAYS[period], now, end, timeZone), bucket ?? 'day', timeZone);
}

function resolveCustom(
  { from, until: asked, bucket }: AskedPeriod,
  end: number,
  timeZone: string,
): Period | PeriodFault {
  if (from === undefined) {
    return 'needs_from';
  }
  const until = Math.min(asked ?? end, end);
  const length = until - from;
  if (length <= 0) {
    return 'empty';
  }
  const automatic = AUTOMATIC.find(([, most]) => length <= most)?.[0] ?? 'month';
  return cut({ from, until, previous: { from: from - length, until: from } }, bucket ?? automatic, timeZone);
}

type Running = Span & { readonly previous: Span };

function lastHours(now: number, until: number, timeZone: string): Running {
  const start = Math.floor((now - 23 * HOUR_MS) / QUARTER_MS) * QUARTER_MS;
  const from = start - (((shownAt(start, timeZone) % HOUR_MS) + HOUR_MS) % HOUR_MS);
  return { from, until, previous: { from: from - DAY_MS, until: until - DAY_MS } };
}

function lastDays(days: number, now: number, until: number, timeZone: string): Running {
  const first = dayShownAt(now, timeZone) - days + 1;
  return {
    from: startOfDay(first, timeZone),
    until,
    previous: {
      from: startOfDay(first - days, timeZone),
      until: firstInstantShowing(shownAt(until, timeZone) - days * DAY_MS, timeZone),
    },
  };
}

function cut(running: Running, bucket: Bucket, timeZone: string): Period | PeriodFault {
  // Weeks and months are counted once they are found: before that only what would take too long to find.
  if (pointsAbout(running.from, running.until, bucket) > 2 * MAX_POINTS) {
    return 'too_many_points';
  }
  const bounds = boundsOf(running.from, running.until, bucket, timeZone);
  return bounds.length - 1 > MAX_POINTS ? 'too_many_points' : { ...running, timeZone, bucket, bounds };
}
