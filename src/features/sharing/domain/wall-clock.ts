const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Zones whose format is kept, because making one costs a hundred times what its use does. There are some six hundred. */
const MAX_FORMATS = 1_000;
const FORMATS = new Map<string, Intl.DateTimeFormat>();

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

/** The stretches between changes of the clocks, from one instant to another. A zone is looked at once a day. */
export function* clockStretches(from: number, until: number, timeZone: string): Generator<ClockStretch> {
  let begin = from;
  let offset = offsetAt(from, timeZone);
  for (let before = from; before < until; before += DAY_MS) {
    const after = Math.min(before + DAY_MS, until);
    const next = offsetAt(after, timeZone);
    if (next !== offset) {
      const change = changeBetween(before, after, timeZone);
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
  let low = Math.floor(before / MINUTE_MS) * MINUTE_MS;
  let high = Math.ceil(after / MINUTE_MS) * MINUTE_MS;
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

function offsetAt(instant: number, timeZone: string): number {
  const minute = Math.floor(instant / MINUTE_MS) * MINUTE_MS;
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
  if (FORMATS.size >= MAX_FORMATS) {
    FORMATS.clear();
  }
  FORMATS.set(timeZone, format);
  return format;
}
