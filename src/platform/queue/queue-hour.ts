const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;

/** What BullMQ keeps of the jobs that ended: `data` by minutes, the latest first, up to the minute of the last job. */
interface CountedJobs {
  readonly meta: { readonly count: number; readonly prevTS: number; readonly prevCount: number };
  readonly data: readonly (number | string)[];
}

/** How many jobs ended in the last hour, to the minute. BullMQ adds a minute to its list when the first job of a later one ends. */
export function endedInLastHour({ meta, data }: CountedJobs, now: number): number {
  const lastMinute = Math.floor(meta.prevTS / MINUTE_MS);
  const first = Math.floor(now / MINUTE_MS) - HOUR_MINUTES + 1;
  const inLastMinute = meta.count - meta.prevCount;
  return [inLastMinute, ...data.map(Number)]
    .filter((_count, minutesBefore) => lastMinute - minutesBefore >= first)
    .reduce((sum, count) => sum + count, 0);
}
