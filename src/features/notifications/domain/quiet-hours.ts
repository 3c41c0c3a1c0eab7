import { firstInstantShowing, shownAt } from '../../../shared/time/wall-clock.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Hours of every day, which may pass midnight. */
export interface DailyHours {
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`. */
  readonly until: string;
  /** IANA name. */
  readonly timeZone: string;
}

/**
 * When a person may be told of what is not urgent, from an instant on: then, or at the end of the quiet hours that it lies in. By the
 * clock on their wall: an end that a change of the clocks skips is when they were set; one that comes twice, the first time.
 */
export function endOfQuiet(quiet: DailyHours | null, atMs: number): number {
  if (!quiet || quiet.from === quiet.until) {
    return atMs;
  }
  const shown = shownAt(atMs, quiet.timeZone);
  const midnight = Math.floor(shown / DAY_MS) * DAY_MS;
  const [now, from, until] = [shown - midnight, ofDay(quiet.from), ofDay(quiet.until)];
  const isQuiet = from < until ? now >= from && now < until : now >= from || now < until;
  if (!isQuiet) {
    return atMs;
  }
  const end = firstInstantShowing(midnight + until + (now < until ? 0 : DAY_MS), quiet.timeZone);
  // The hour that comes twice has shown its end once already.
  return Math.max(end, atMs);
}

/** @param time `HH:MM` */
function ofDay(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return ((hours ?? 0) * 60 + (minutes ?? 0)) * MINUTE_MS;
}
