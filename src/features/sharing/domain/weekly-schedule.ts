import { type WallTime, wallTimeOf } from './wall-clock.js';

/** Days as RFC 5545 names them, Monday first. */
export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

const MINUTES_A_DAY = 24 * 60;

/** One stretch of the week. `until` at or before `from` lies on the next day: 22:00 to 06:00 is a night. */
export interface WeeklyWindow {
  readonly days: readonly Weekday[];
  /** `HH:MM`, included. */
  readonly from: string;
  /** `HH:MM` or `24:00`, not included. */
  readonly until: string;
}

/** When a share opens, by the clock on the wall of a place. */
export interface WeeklySchedule {
  /** IANA name. */
  readonly timeZone: string;
  readonly windows: readonly WeeklyWindow[];
}

/** Minutes since midnight of `HH:MM`. */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Whether a window begins and ends on different days. */
export function isOvernight({ from, until }: WeeklyWindow): boolean {
  return minutesOf(until) <= minutesOf(from);
}

/**
 * Whether a schedule is open at an instant. It is judged by the clock on the wall alone: a time that the change of clocks skips
 * does not exist, so that a window which begins in it opens at its end; one that comes twice is open twice.
 */
export function isOpenAt({ timeZone, windows }: WeeklySchedule, instant: Date): boolean {
  const { dayOfWeek, minuteOfDay }: WallTime = wallTimeOf(instant, timeZone);
  const today = WEEKDAYS[dayOfWeek];
  const yesterday = WEEKDAYS[(dayOfWeek + 6) % 7];
  return windows.some((window) => {
    const [from, until] = [minutesOf(window.from), minutesOf(window.until)];
    const isOn = (day: Weekday | undefined): boolean => day !== undefined && window.days.includes(day);
    if (until > from) {
      return isOn(today) && minuteOfDay >= from && minuteOfDay < until;
    }
    return (isOn(today) && minuteOfDay >= from) || (isOn(yesterday) && minuteOfDay < until);
  });
}

/** The minutes of the day at which a schedule may open or close. */
export function boundaryMinutes({ windows }: WeeklySchedule): readonly number[] {
  const minutes = windows.flatMap(({ from, until }) => [minutesOf(from), minutesOf(until) % MINUTES_A_DAY]);
  return [...new Set(minutes)];
}
