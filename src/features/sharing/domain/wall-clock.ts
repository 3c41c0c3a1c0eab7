const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Making a format costs a hundred times what its use does. Names are those of the IANA database, which are some hundreds. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows, to the minute. */
export interface WallTime {
  /** 0 is Monday. */
  readonly dayOfWeek: number;
  readonly minuteOfDay: number;
}

/** What the clock on the wall of a time zone shows at an instant. */
export function wallTimeOf(instant: Date, timeZone: string): WallTime {
  const shown = shownAt(instant.getTime(), timeZone);
  const dayOfWeek = (new Date(shown).getUTCDay() + 6) % 7;
  return { dayOfWeek, minuteOfDay: Math.floor((shown - startOfDay(shown)) / MINUTE_MS) };
}

/** Midnights of the days that the wall shows from one instant to another, as if they were UTC. */
export function daysShown(from: Date, until: Date, timeZone: string): number[] {
  const first = startOfDay(shownAt(from.getTime(), timeZone));
  const last = startOfDay(shownAt(until.getTime(), timeZone));
  return Array.from({ length: Math.round((last - first) / DAY_MS) + 1 }, (_, index) => first + index * DAY_MS);
}

/**
 * The instants at which the wall shows a time: two where clocks were set back, and where they were set forward over it the
 * instant at which they were.
 * @param shown the time as if it were UTC
 */
export function instantsOf(shown: number, timeZone: string): Date[] {
  const offsets = [-DAY_MS, DAY_MS].map((shift) => offsetAt(shown + shift, timeZone));
  const candidates = [...new Set(offsets.map((offset) => shown - offset))];
  const exact = candidates.filter((instant) => shownAt(instant, timeZone) === shown);
  if (exact.length > 0) {
    return exact.sort((a, b) => a - b).map((instant) => new Date(instant));
  }
  return [new Date(changeBetween(Math.min(...candidates), Math.max(...candidates), timeZone))];
}

/** The instants after one and up to another at which clocks are set, forward or back. */
export function clockChanges(from: Date, until: Date, timeZone: string): Date[] {
  const changes: Date[] = [];
  for (let before = from.getTime(); before < until.getTime(); before += DAY_MS) {
    const after = Math.min(before + DAY_MS, until.getTime());
    if (offsetAt(before, timeZone) !== offsetAt(after, timeZone)) {
      changes.push(new Date(changeBetween(before, after, timeZone)));
    }
  }
  return changes;
}

/** The instant between two at which the offset of the zone changes, to the minute. */
function changeBetween(before: number, after: number, timeZone: string): number {
  const offset = offsetAt(before, timeZone);
  let low = Math.floor(before / MINUTE_MS) * MINUTE_MS;
  let high = Math.floor(after / MINUTE_MS) * MINUTE_MS;
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

function startOfDay(shown: number): number {
  return Math.floor(shown / DAY_MS) * DAY_MS;
}

function offsetAt(instant: number, timeZone: string): number {
  const minute = Math.floor(instant / MINUTE_MS) * MINUTE_MS;
  return shownAt(minute, timeZone) - minute;
}

/** What the wall shows, read as if it were UTC, to the minute. */
function shownAt(instant: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
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
  FORMATS.set(timeZone, format);
  return format;
}
