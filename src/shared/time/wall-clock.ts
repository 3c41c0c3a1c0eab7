const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Zones whose format is kept, because making one costs a hundred times what its use does. There are some six hundred. */
const MAX_FORMATS = 1_000;
const FORMATS = new Map<string, Intl.DateTimeFormat>();
/** What is looked at and kept at once: few schedules are asked for further ahead. */
const PERIOD_MS = 32 * DAY_MS;
/** Over a year of every zone. */
const MAX_PERIODS = 10_000;
const PERIODS = new Map<string, readonly ClockStretch[]>();

/** A time during which the clocks of a zone are not set. */
export interface ClockStretch {
  readonly from: number;
  readonly until: number;
  /** What to add to an instant to get what the wall shows, read as if it were UTC. */
  readonly offset: number;
}

/** What the clock on the wall of a time zone shows at an instant, to the minute, read as if it were UTC. */
export function shownAt(instant: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
}

/** When the clock on the wall shows a time, or one that is later, for the first time: it may be skipped, or come twice. */
export function firstInstantShowing(shown: number, timeZone: string): number {
  // No offset is longer than a day.
  for (const { from, until, offset } of clockStretches(shown - DAY_MS, shown + DAY_MS, timeZone)) {
    if (shown - offset < until) {
      return Math.max(shown - offset, from);
    }
  }
  return shown + DAY_MS;
}

/** Stretches without a change of the clocks, from one instant to another, in order. They may meet without one. */
export function* clockStretches(from: number, until: number, timeZone: string): Generator<ClockStretch> {
  for (let period = Math.floor(from / PERIOD_MS); period * PERIOD_MS < until; period += 1) {
    for (const stretch of stretchesOf(period, timeZone)) {
      const cut = { ...stretch, from: Math.max(stretch.from, from), until: Math.min(stretch.until, until) };
      if (cut.from < cut.until) {
        yield cut;
      }
    }
  }
}

function stretchesOf(period: number, timeZone: string): readonly ClockStretch[] {
  const key = `${timeZone} ${String(period)}`;
  const known = PERIODS.get(key);
  if (known) {
    return known;
  }
  const stretches = [...findStretches(period * PERIOD_MS, (period + 1) * PERIOD_MS, timeZone)];
  keep(PERIODS, key, stretches, MAX_PERIODS);
  return stretches;
}

/** A zone is looked at once a day. */
function* findStretches(from: number, until: number, timeZone: string): Generator<ClockStretch> {
  let begin = from;
  let offset = offsetAt(from, timeZone);
  for (let before = from; before < until; before += DAY_MS) {
    const next = offsetAt(before + DAY_MS, timeZone);
    if (next !== offset) {
      const change = changeBetween(before, before + DAY_MS, timeZone);
      yield { from: begin, until: change, offset };
      begin = change;
      offset = next;
    }
  }
  yield { from: begin, until, offset };
}

/** The instant between two at which the offset of the zone changes, to the minute. */
function changeBetween(before: number, after: number, timeZone: string): number {
  const offset = offsetAt(before, timeZone);
  let [low, high] = [before, after];
  while (high - low > MINUTE_MS) {
    const middle = Math.floor((low + high) / 2 / MINUTE_MS) * MINUTE_MS;
    if (offsetAt(middle, timeZone) === offset) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** @param minute an instant without seconds */
function offsetAt(minute: number, timeZone: string): number {
  return shownAt(minute, timeZone) - minute;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known) {
    return known;
  }
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  keep(FORMATS, timeZone, format, MAX_FORMATS);
  return format;
}

function keep<V>(values: Map<string, V>, key: string, value: V, most: number): void {
  if (values.size >= most) {
    values.clear();
  }
  values.set(key, value);
}
