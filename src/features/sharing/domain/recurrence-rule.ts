import { canonicalInstant } from '../../../shared/instant.js';
import { calendarTime, readCalendarEntry, type WallTime } from './calendar-entry.js';
import { malformed, refuse, refuseOthers } from './calendar-lines.js';
import { firstInstantShowing, shownAt } from '../../../shared/time/wall-clock.js';
import { occurrenceAt, occurrencesBefore, startsInWeek } from './weekly-occurrences.js';
import { MAX_WINDOWS, WEEKDAYS, type Weekday, type WeeklySchedule, type WeeklyWindow } from './weekly-schedule.js';

const MAX_COUNT = 1_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const DAY_MS = MINUTES_A_DAY * MINUTE_MS;
const PARTS = ['FREQ', 'INTERVAL', 'WKST', 'BYDAY', 'BYHOUR', 'BYMINUTE', 'UNTIL', 'COUNT'];
const RANGES = { BYHOUR: [0, 23], BYMINUTE: [0, 59], COUNT: [1, MAX_COUNT] } as const;

type Parts = ReadonlyMap<string, string>;

/** The window and the weekly schedule that a recurrence rule stands for. */
export interface ImportedRecurrence {
  /** When the first occurrence begins. */
  readonly from: Date;
  /** When the last one ends, or later: null when none is the last. */
  readonly until: Date | null;
  readonly schedule: WeeklySchedule;
}

/**
 * Reads a recurrence rule (RFC 5545, `DTSTART` and `RRULE`), or the entry of a calendar, as a weekly schedule. Nothing is unrolled, so each
 * text takes the same time.
 * @param durationMinutes how long an occurrence lasts; may be left out where the entry says it
 * @throws RecurrenceError for one that is malformed, or that no week repeats
 */
export function importRecurrence(text: string, durationMinutes?: number): ImportedRecurrence {
  const { start, parts, durationMinutes: lasting } = readCalendarEntry(text, durationMinutes);
  refuseUnlessWeekly(parts);
  const days = daysOf(parts, start);
  const minutes = minutesOf(parts, start);
  const starts = startsInWeek(days, minutes);
  const first = occurrencesBefore(start.shown, starts);
  const instantAt = (shown: number): number => firstInstantShowing(shown, start.timeZone);
  const endOf = (index: number): number => instantAt(occurrenceAt(index, starts) + lasting * MINUTE_MS);
  const end = untilOf(parts, start);
  const last = end === null ? lastByCount(parts, first) : lastUntil(end, starts, start.timeZone);
  if (last !== null && last < first) {
    refuse('it has no occurrence');
  }
  return {
    from: dateOf(instantAt(occurrenceAt(first, starts))),
    until: last === null ? null : dateOf(Math.max(endOf(last), end ?? -Infinity)),
    schedule: {
      timeZone: start.timeZone,
      windows: minutes.map((minute) => windowAt(days, minute, lasting)),
    },
  };
}

function refuseUnlessWeekly(parts: Parts): void {
  refuseOthers(parts.keys(), PARTS);
  const [freq, interval, weekStart] = [parts.get('FREQ') ?? malformed(), parts.get('INTERVAL'), parts.get('WKST')];
  if (freq !== 'WEEKLY' && freq !== 'DAILY') {
    refuse(`FREQ=${freq} does not repeat by the week: only WEEKLY and DAILY do`);
  }
  if (interval !== undefined && interval !== '1') {
    refuse(`INTERVAL=${interval} skips weeks or days: only 1 can be taken`);
  }
  if (weekStart !== undefined) {
    weekdayOf(weekStart, 'WKST');
  }
}

function daysOf(parts: Parts, { shown }: WallTime): Weekday[] {
  const days = parts.get('BYDAY');
  if (days !== undefined) {
    return [...new Set(days.split(',').map((day) => weekdayOf(day, 'BYDAY')))];
  }
  const ofStart = WEEKDAYS[(new Date(shown).getUTCDay() + 6) % 7];
  return WEEKDAYS.filter((day) => parts.get('FREQ') === 'DAILY' || day === ofStart);
}

/** The minutes of the day at which it begins. */
function minutesOf(parts: Parts, { shown }: WallTime): number[] {
  const start = new Date(shown);
  const hours = [...new Set(numbersOf(parts, 'BYHOUR') ?? [start.getUTCHours()])];
  const minutes = [...new Set(numbersOf(parts, 'BYMINUTE') ?? [start.getUTCMinutes()])];
  if (hours.length * minutes.length > MAX_WINDOWS) {
    refuse(`it has more than ${String(MAX_WINDOWS)} times a day`);
  }
  return hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
}

function numbersOf(parts: Parts, part: keyof typeof RANGES): number[] | null {
  const values = parts.get(part)?.split(',') ?? null;
  const [least, most] = RANGES[part];
  if (!values?.every((value) => /^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= most)) {
    return values && refuse(`${part} takes whole numbers from ${String(least)} to ${String(most)}`);
  }
  return values.map(Number);
}

/** The instant up to which occurrences begin. */
function untilOf(parts: Parts, { timeZone }: WallTime): number | null {
  const until = parts.get('UNTIL');
  if (until === undefined) {
    return null;
  }
  if (parts.has('COUNT')) {
    refuse('UNTIL and COUNT exclude each other');
  }
  const day = calendarTime(`${until}T000000`);
  const instant =
    day === null ? calendarTime(until.replace(/Z$/, '')) : firstInstantShowing(day + DAY_MS, timeZone) - SECOND_MS;
  if (instant === null || (day === null && !until.endsWith('Z'))) {
    refuse(`UNTIL takes a time in UTC, such as 20260110T120000Z, or a day: ${until}`);
  }
  return instant;
}

function lastByCount(parts: Parts, first: number): number | null {
  const counts = numbersOf(parts, 'COUNT');
  if (counts === null) {
    return null;
  }
  const [count = 0, ...others] = counts;
  return others.length > 0 ? refuse('COUNT takes one number') : first + count - 1;
}

/** The occurrence that begins last until an instant. Where clocks are set back, the wall shows less than it did before. */
function lastUntil(instant: number, starts: readonly number[], timeZone: string): number {
  let last = occurrencesBefore(shownAt(instant, timeZone) + MINUTE_MS, starts) - 1;
  while (firstInstantShowing(occurrenceAt(last + 1, starts), timeZone) <= instant) {
    last += 1;
  }
  return last;
}

function dateOf(instant: number): Date {
  const date = new Date(instant);
  return canonicalInstant(date.toISOString()) === null ? refuse('it begins before 1970, or ends after 9999') : date;
}

function weekdayOf(day: string, part: string): Weekday {
  return WEEKDAYS.find((one) => one === day) ?? refuse(`${part}=${day} does not come every week`);
}

function windowAt(days: readonly Weekday[], minute: number, durationMinutes: number): WeeklyWindow {
  const end = (minute + durationMinutes) % MINUTES_A_DAY;
  return { days, from: timeOfDay(minute), until: timeOfDay(end === 0 ? MINUTES_A_DAY : end) };
}

function timeOfDay(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
