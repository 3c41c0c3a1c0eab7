import { type EffectiveShare, stateOfShare } from './device-access.js';
import { isAlwaysOpen, openStretches, type Stretch } from './weekly-schedule.js';

const DAY_MS = 24 * 60 * 60_000;
/** The next change of clocks is never further away, where a zone has any. */
const HORIZON_MS = 400 * DAY_MS;

/** From when until when a share is open; `until` null: without an end. */
export interface Opening {
  readonly from: Date;
  readonly until: Date | null;
}

/**
 * The next times at which a share is open, the present one first. A suspended share is shown as if it were resumed, one that is
 * withheld has none.
 * @param count at most so many
 */
export function nextOpenings(share: EffectiveShare, after: Date, count: number): Opening[] {
  const openings: Opening[] = [];
  for (const { from, until } of joined(stretchesOf({ ...share, suspended: false }, after.getTime()))) {
    openings.push({ from: new Date(from), until: Number.isFinite(until) ? new Date(until) : null });
    if (openings.length === count) {
      break;
    }
  }
  return openings;
}

/** When a share changes next by itself: it opens, closes, begins or ends. Null: never, as far as can be seen. */
export function nextChange(share: EffectiveShare, after: Date): Date | null {
  if (share.suspended) {
    return null;
  }
  const [next] = nextOpenings(share, after, 1);
  const isOpen = stateOfShare(share, after) === 'open';
  const change = isOpen ? next?.until : next?.from;
  // One that is closed for good still changes its word when it is over.
  const end = share.until !== null && share.until > after ? share.until : null;
  return change ?? end;
}

/** When a share is open, as far as its horizon. The last stretch may have no end. */
function* stretchesOf(share: EffectiveShare, after: number): Generator<Stretch> {
  const [own, ...rights] = withRights(share);
  if (own.suspended || rights.some(({ permission, suspended }) => suspended || permission !== 'admin')) {
    return;
  }
  const all = [own, ...rights];
  const begin = Math.max(after, ...all.map(({ from }) => from?.getTime() ?? -Infinity));
  const end = Math.min(...all.map(({ until }) => until?.getTime() ?? Infinity));
  const schedules = all.flatMap(({ schedule }) => (schedule === null || isAlwaysOpen(schedule) ? [] : [schedule]));
  if (begin >= end) {
    return;
  }
  if (schedules.length === 0) {
    yield { from: begin, until: end };
  } else {
    yield* openStretches(schedules, begin, Math.min(end, begin + HORIZON_MS));
  }
}

/** A share, and the rights by which it was given. */
function withRights(share: EffectiveShare): [EffectiveShare, ...EffectiveShare[]] {
  return [share, ...(share.under === null ? [] : withRights(share.under))];
}

function* joined(stretches: Iterable<Stretch>): Generator<Stretch> {
  let held: Stretch | null = null;
  for (const stretch of stretches) {
    if (held !== null && held.until >= stretch.from) {
      held = { from: held.from, until: Math.max(held.until, stretch.until) };
    } else {
      if (held !== null) {
        yield held;
      }
      held = stretch;
    }
  }
  if (held !== null) {
    yield held;
  }
}
