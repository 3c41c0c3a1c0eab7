import { clockStretches, shownAt } from './wall-clock.js';

/** Days as RFC 5545 names them, Monday first. */
export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** More than anyone draws by hand. */
export const MAX_WINDOWS = 21;

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const MINUTES_A_WEEK = 7 * MINUTES_A_DAY;
const WEEK_MS = MINUTES_A_WEEK * MINUTE_MS;
/** 1970 began on a Thursday. */
const FIRST_MONDAY = 4 * MINUTES_A_DAY * MINUTE_MS;

/** One stretch of the week. `until` at or before `from` lies on the next day: 22:00 to 06:00 is a night. */
export interface WeeklyWindow {
  readonly days: readonly Weekday[];
  /** `HH:MM`, included. */
  readonly from: string;
  /** `HH:MM` or `24:00`, not included. */
  readonly until: string;
}

/** When a share opens, by the clock on the wall of a place. Without windows it never does. */
export interface WeeklySchedule {
  /** IANA name. */
  readonly timeZone: string;
  readonly windows: readonly WeeklyWindow[];
}

/** From one instant until another, in milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

/**
 * Whether a schedule is open at an instant. It is judged by the clock on the wall alone: a time that the change of clocks skips
 * does not exist, so that a window which begins in it opens at its end; one that comes twice is open twice.
 */
export function isOpenAt({ timeZone, windows }: WeeklySchedule, instant: Date): boolean {
  const minute = Math.floor((shownAt(instant.getTime(), timeZone) - FIRST_MONDAY) / MINUTE_MS);
  const ofWeek = modulo(minute, MINUTES_A_WEEK);
  return windows.some((window) =>
    startsOf(window).some((start) => modulo(ofWeek - start, MINUTES_A_WEEK) < lengthOf(window)),
  );
}

/** Whether there is no minute of the week at which it is closed. */
export function isAlwaysOpen(schedule: WeeklySchedule): boolean {
  const [first, ...others] = mergedWeek(schedule);
  return first !== undefined && others.length === 0 && first.until - first.from >= MINUTES_A_WEEK;
}

/** When a schedule is open between two instants, in order; stretches that meet are not joined. */
export function* openStretches(schedule: WeeklySchedule, from: number, until: number): Generator<Stretch> {
  const week = mergedWeek(schedule);
  for (const stretch of clockStretches(from, until, schedule.timeZone)) {
    const shownFrom = stretch.from + stretch.offset;
    const shownUntil = stretch.until + stretch.offset;
    // A window that began in the week before may still be open.
    const firstWeek = Math.floor((shownFrom - FIRST_MONDAY) / WEEK_MS) * WEEK_MS + FIRST_MONDAY - WEEK_MS;
    for (let monday = firstWeek; monday < shownUntil; monday += WEEK_MS) {
      for (const minutes of week) {
        const open = Math.max(monday + minutes.from * MINUTE_MS, shownFrom);
        const close = Math.min(monday + minutes.until * MINUTE_MS, shownUntil);
        if (open < close) {
          yield { from: open - stretch.offset, until: close - stretch.offset };
        }
      }
    }
  }
}

/** The windows as minutes of the week, in order, those that overlap or meet as one. The last one may end in the next week. */
function mergedWeek({ windows }: WeeklySchedule): Stretch[] {
  const all = windows
    .flatMap((window) => startsOf(window).map((from) => ({ from, until: from + lengthOf(window) })))
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; until: number }[] = [];
  for (const one of all) {
    const last = merged.at(-1);
    if (last && one.from <= last.until) {
      last.until = Math.max(last.until, one.until);
    } else {
      merged.push({ ...one });
    }
  }
  return merged;
}

function startsOf({ days, from }: WeeklyWindow): number[] {
  return days.map((day) => WEEKDAYS.indexOf(day) * MINUTES_A_DAY + minutesOf(from));
}

function lengthOf({ from, until }: WeeklyWindow): number {
  const length = minutesOf(until) - minutesOf(from);
  return length > 0 ? length : length + MINUTES_A_DAY;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
