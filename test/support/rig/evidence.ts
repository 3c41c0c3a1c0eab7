import type { Actuation } from '../../../tools/virtual-lock/actuation-journal.js';
import type { CommandRecord } from '../command-records.js';
import type { LockGroup } from './lock-group.js';

/** The movements of all these locks, by device id. */
export function mergedActuations(groups: readonly LockGroup[]): Map<string, readonly Actuation[]> {
  return new Map(groups.flatMap((group) => [...group.actuations()]));
}

/**
 * Movements at or past the deadline of their command on the clock of the machine, which the locks share with the backend
 * and do not decide by: what a wrong uptime hides shows here.
 */
export function lateByWallClock(
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
