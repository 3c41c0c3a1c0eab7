import type { Actuation } from '../../../tools/virtual-lock/actuation-journal.js';
import { compare, type CommandRecord, type Discrepancies, NO_DISCREPANCIES } from '../command-records.js';
import { lateOrders } from '../order-sniffer.js';
import { type ObservedOrder } from '../order-subscriber.js';
import type { LockGroup } from './lock-group.js';
import type { Outage } from './reaper.js';
import type { Traffic } from './traffic.js';

/** What came out of a piece of traffic. */
export interface Evidence {
  readonly traffic: Traffic;
  /** The commands of the locks below, and no other. */
  readonly entries: readonly CommandRecord[];
  readonly groups: readonly LockGroup[];
  /** Those that came to the broker's door meanwhile. */
  readonly orders: readonly ObservedOrder[];
}

/** What contradicts the promises. If one is not empty, one of them is broken. */
export interface Faults extends Discrepancies {
  /** Accepted, and no command. */
  readonly lost: string[];
  /** Commands that no client was told of. */
  readonly unasked: string[];
  /** Commands without an outcome. */
  readonly open: string[];
  /** Moved at or past its deadline on the clock of the machine. */
  readonly lateByWallClock: string[];
  /** Orders past their deadline at the broker's door. */
  readonly lateAtDoor: ObservedOrder[];
  /** Answers that no client may get. */
  readonly wrongAnswers: string[];
}

export const NO_FAULTS: Faults = {
  ...NO_DISCREPANCIES,
  lost: [],
  unasked: [],
  open: [],
  lateByWallClock: [],
  lateAtDoor: [],
  wrongAnswers: [],
};

export function faultsOf({ traffic, entries, groups, orders }: Evidence): Faults {
  const actuations = mergedActuations(groups);
  const known = new Set(entries.map(({ id }) => id));
  const accepted = new Set(traffic.wishes.flatMap(({ id }) => id ?? []));
  return {
    ...compare(entries, actuations),
    lost: [...accepted].filter((id) => !known.has(id)),
    unasked: [...known].filter((id) => !accepted.has(id)),
    open: entries.flatMap(({ id, finishedAt }) => (finishedAt === null ? [id] : [])),
    lateByWallClock: lateByWallClock(entries, actuations),
    lateAtDoor: lateOrders(orders),
    wrongAnswers: traffic.wrong,
  };
}

/** The movements of all these locks, by device id. */
export function mergedActuations(groups: readonly LockGroup[]): Map<string, readonly Actuation[]> {
  return new Map(groups.flatMap((group) => [...group.actuations()]));
}

/**
 * Movements at or past the deadline of their command on the clock of the machine, which the locks share with the backend
 * and do not decide by: what a wrong uptime hides shows here.
 */
function lateByWallClock(
  entries: readonly CommandRecord[],
  actuations: ReadonlyMap<string, readonly Actuation[]>,
): string[] {
  const deadlines = new Map(entries.map(({ id, order }) => [id, order && Date.parse(order.expiresAt)]));
  return [...actuations.values()].flat().flatMap(({ commandId, action, at }) => {
    const deadline = deadlines.get(commandId);
    return action !== 'auto_lock' && deadline && Date.parse(at) >= deadline ? [commandId] : [];
  });
}

/** How many commands were open at that moment. */
export function underWay(entries: readonly CommandRecord[], at: Date): number {
  return entries.filter(({ createdAt, finishedAt }) => createdAt <= at && (finishedAt === null || finishedAt > at))
    .length;
}

/** The longest time that one of them was open, in milliseconds; with outages, while nothing was away. */
export function longestOpen(entries: readonly CommandRecord[], outages: readonly Outage[] = []): number {
  return entries.reduce((longest, { createdAt, finishedAt }) => {
    const [from, to] = [createdAt.getTime(), finishedAt?.getTime() ?? Infinity];
    return Math.max(longest, to - from - awayBetween(from, to, outages));
  }, 0);
}

/** How much of this time something was away. */
function awayBetween(from: number, to: number, outages: readonly Outage[]): number {
  let [away, reached] = [0, from];
  for (const outage of outages.toSorted((one, other) => one.from - other.from)) {
    const start = Math.max(outage.from, reached);
    const end = Math.min(outage.to, to);
    if (end > start) {
      away += end - start;
      reached = end;
    }
  }
  return away;
}
