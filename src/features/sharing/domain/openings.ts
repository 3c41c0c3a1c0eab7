import { type ShareTerms, stateOfShare } from './device-access.js';
import { clockChanges, daysShown, instantsOf } from './wall-clock.js';
import { boundaryMinutes, type WeeklySchedule } from './weekly-schedule.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Days looked at together: more than a week, so that each look finds an opening of a schedule that has one. */
const LOOK_DAYS = 15;
/** The next change of clocks is never further away, where a zone has any. */
const HORIZON_DAYS = 400;

/** From when until when a share is open; `until` null: without an end. */
export interface Opening {
  readonly from: Date;
  readonly until: Date | null;
}

/**
 * The next times at which a share is open, the present one first. A suspended share is shown as if it were resumed.
 * @param count at most so many
 */
export function nextOpenings(terms: ShareTerms, after: Date, count: number): Opening[] {
  const resumed = { ...terms, suspended: false };
  const openings: Opening[] = [];
  let since: Date | null = stateOfShare(resumed, after) === 'open' ? after : null;
  for (const instant of changesOf(resumed, after)) {
    const isOpen = stateOfShare(resumed, instant) === 'open';
    if (isOpen && since === null) {
      since = instant;
    } else if (!isOpen && since !== null) {
      openings.push({ from: since, until: instant });
      since = null;
    }
    if (openings.length === count) {
      return openings;
    }
  }
  return since === null ? openings : [...openings, { from: since, until: resumed.until }];
}

/** When a share changes next by itself: it opens, closes, begins or ends. Null: never, as far as can be seen. */
export function nextChange(terms: ShareTerms, after: Date): Date | null {
  const now = stateOfShare(terms, after);
  for (const instant of changesOf(terms, after)) {
    if (stateOfShare(terms, instant) !== now) {
      return instant;
    }
  }
  return null;
}

/** Every instant after `after` at which the share may open or close, in order. */
function* changesOf({ from, until, schedule }: ShareTerms, after: Date): Generator<Date> {
  const begin = from !== null && from > after ? from : after;
  if (begin > after) {
    yield begin;
  }
  if (schedule !== null) {
    yield* boundariesOf(
      schedule,
      begin,
      Math.min(begin.getTime() + HORIZON_DAYS * DAY_MS, until?.getTime() ?? Infinity),
    );
  }
  if (until !== null && until > begin) {
    yield until;
  }
}

/** In looks of some days each, because the first few are often all that is asked for. */
function* boundariesOf(schedule: WeeklySchedule, begin: Date, last: number): Generator<Date> {
  for (let look = begin.getTime(); look < last; look += LOOK_DAYS * DAY_MS) {
    yield* boundariesBetween(schedule, new Date(look), new Date(Math.min(look + LOOK_DAYS * DAY_MS, last)));
  }
}

/** After `from`, and not after `until`. */
function boundariesBetween(schedule: WeeklySchedule, from: Date, until: Date): Date[] {
  const minutes = boundaryMinutes(schedule);
  const instants = daysShown(from, until, schedule.timeZone).flatMap((day) =>
    minutes.flatMap((minute) => instantsOf(day + minute * MINUTE_MS, schedule.timeZone)),
  );
  return [...new Set([...instants, ...clockChanges(from, until, schedule.timeZone)].map(Number))]
    .sort((a, b) => a - b)
    .map((instant) => new Date(instant))
    .filter((instant) => instant > from && instant <= until);
}
