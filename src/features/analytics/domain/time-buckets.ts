import { QUARTER_MS } from '../../../shared/time/quarters.js';
import { clockStretches, firstInstantShowing, shownAt } from '../../../shared/time/wall-clock.js';

export const BUCKETS = ['quarter', 'hour', 'day', 'week', 'month'] as const;
/** What one point of a course stands for; hours and longer ones by the clocks of a zone. */
export type Bucket = (typeof BUCKETS)[number];

const MINUTE = 60_000;
export const DAY_MS = 24 * 60 * MINUTE;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY = 4;
/** The shortest of each. */
const SHORTEST_MS: Readonly<Record<Bucket, number>> = {
  quarter: QUARTER_MS,
  hour: 60 * MINUTE,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 28 * DAY_MS,
};

/** About how many points a course has, without finding them: never fewer than half of them. */
export function pointsAbout(from: number, until: number, bucket: Bucket): number {
  return Math.ceil((until - from) / SHORTEST_MS[bucket]);
}

/** What the wall shows, as days since 1970. */
export function dayShownAt(instant: number, timeZone: string): number {
  return Math.floor(shownAt(Math.floor(instant / MINUTE) * MINUTE, timeZone) / DAY_MS);
}

/** The first instant of a day of a zone. */
export function startOfDay(day: number, timeZone: string): number {
  return firstInstantShowing(day * DAY_MS, timeZone);
}

/** `from`, each beginning of a bucket between the two, and `until`. The first and the last bucket may be cut. */
export function boundsOf(from: number, until: number, bucket: Bucket, timeZone: string): number[] {
  const starts =
    bucket === 'quarter' || bucket === 'hour'
      ? startsByClock(from, until, SHORTEST_MS[bucket], timeZone)
      : startsByCalendar(from, until, bucket, timeZone);
  return [from, ...[...starts].filter((start) => start > from && start < until), until];
}

/** An hour that comes twice is two, and one within which the clocks are set is cut there. */
function* startsByClock(from: number, until: number, size: number, timeZone: string): Generator<number> {
  let offset: number | undefined;
  for (const stretch of clockStretches(from, until, timeZone)) {
    const first = Math.ceil((stretch.from + stretch.offset) / size) * size - stretch.offset;
    if (first !== stretch.from && offset !== undefined && offset !== stretch.offset) {
      yield stretch.from;
    }
    offset = stretch.offset;
    for (let start = first; start < stretch.until; start += size) {
      yield start;
    }
  }
}

function* startsByCalendar(from: number, until: number, bucket: Bucket, timeZone: string): Generator<number> {
  let day = firstDayOf(dayShownAt(from, timeZone), bucket);
  for (let start = startOfDay(day, timeZone); start < until; start = startOfDay(day, timeZone)) {
    yield start;
    day = nextDayOf(day, bucket);
  }
}

function firstDayOf(day: number, bucket: Bucket): number {
  if (bucket === 'week') {
    return day - ((((day - FIRST_MONDAY) % 7) + 7) % 7);
  }
  return bucket === 'month' ? day - new Date(day * DAY_MS).getUTCDate() + 1 : day;
}

function nextDayOf(day: number, bucket: Bucket): number {
  if (bucket === 'month') {
    const date = new Date(day * DAY_MS);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / DAY_MS;
  }
  return day + (bucket === 'week' ? 7 : 1);
}

/** RFC 3339 with the offset of the zone: two hours of one name differ in it. */
export function labelOf(instant: number, timeZone: string): string {
  const minute = Math.floor(instant / MINUTE) * MINUTE;
  const offset = (shownAt(minute, timeZone) - minute) / MINUTE;
  const local = new Date(instant + offset * MINUTE).toISOString().replace(/(\.000)?Z$/, '');
  const size = Math.abs(offset);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
