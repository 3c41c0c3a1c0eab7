import { FIRST_MONDAY, WEEK_MS, WEEKDAYS, type Weekday } from './weekly-schedule.js';

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;

/** When something begins in each week, in milliseconds since its Monday, in order. */
export function startsInWeek(days: readonly Weekday[], minutesOfDay: readonly number[]): number[] {
  return days
    .flatMap((day) => minutesOfDay.map((minute) => (WEEKDAYS.indexOf(day) * MINUTES_A_DAY + minute) * MINUTE_MS))
    .sort((a, b) => a - b);
}

/** How often it began since the first Monday of 1970 before the wall shows a time, which is the index of what begins then or later. */
export function occurrencesBefore(shown: number, starts: readonly number[]): number {
  const week = Math.floor((shown - FIRST_MONDAY) / WEEK_MS);
  const sinceMonday = shown - FIRST_MONDAY - week * WEEK_MS;
  return week * starts.length + starts.filter((start) => start < sinceMonday).length;
}

/** What the wall shows when it begins for that time. */
export function occurrenceAt(index: number, starts: readonly number[]): number {
  const week = Math.floor(index / starts.length);
  return FIRST_MONDAY + week * WEEK_MS + (starts[index - week * starts.length] ?? 0);
}
