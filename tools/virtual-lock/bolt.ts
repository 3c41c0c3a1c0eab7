import type { KnownOrder } from './parse-order.js';

export type BoltState = 'locked' | 'unlocked';
export type BoltOrder = Extract<KnownOrder, { name: 'lock_door' | 'unlock_door' }>;

/** The bolt, and the relocking that is due when an unlock was for a time only. Times are uptimes of one boot. */
export interface Bolt {
  readonly state: BoltState;
  readonly relock?: { readonly commandId: string; readonly counter: number; readonly atUptimeMs: number };
}

/**
 * The latest order counts alone: locking, or another unlock, replaces a relocking that was due.
 * @param autoLockTimeoutMs after which an unlock ends that has no duration of its own; left out, it does not end
 */
export function obey(order: BoltOrder, uptimeMs: number, autoLockTimeoutMs?: number): Bolt {
  if (order.name === 'lock_door') {
    return { state: 'locked' };
  }
  const { commandId, counter, payload } = order;
  const durationMs = payload.durationMs ?? autoLockTimeoutMs;
  return durationMs === undefined
    ? { state: 'unlocked' }
    : { state: 'unlocked', relock: { commandId, counter, atUptimeMs: uptimeMs + durationMs } };
}

/** Turned from inside, without any order. */
export function turnByHand(state: BoltState): Bolt {
  return { state };
}

export function isRelockDue(bolt: Bolt, uptimeMs: number): boolean {
  return bolt.relock !== undefined && uptimeMs >= bolt.relock.atUptimeMs;
}
