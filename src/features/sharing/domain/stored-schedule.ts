import { canonicalTimeZone } from '../../../shared/time-zone.js';
import { WEEKDAYS, type WeeklySchedule, type WeeklyWindow } from './weekly-schedule.js';

/** What cannot be read gives nothing. */
const NEVER: WeeklySchedule = { timeZone: 'UTC', windows: [] };
const TIME = /^([01]\d|2[0-4]):[0-5]\d$/;

/** A schedule as it was stored; null for a share without one. One that is none is never open: it must not break a decision. */
export function readSchedule(stored: unknown): WeeklySchedule | null {
  if (stored === null || stored === undefined) {
    return null;
  }
  const { timeZone, windows } = stored as Partial<WeeklySchedule>;
  const isReadable =
    typeof timeZone === 'string' &&
    canonicalTimeZone(timeZone) !== null &&
    Array.isArray(windows) &&
    windows.every(isWindow);
  return isReadable ? { timeZone, windows: windows } : NEVER;
}

function isWindow(value: unknown): value is WeeklyWindow {
  const { days, from, until } = (value ?? {}) as Partial<WeeklyWindow>;
  return (
    Array.isArray(days) &&
    days.every((day) => WEEKDAYS.some((known) => known === day)) &&
    [from, until].every((time) => typeof time === 'string' && TIME.test(time))
  );
}
