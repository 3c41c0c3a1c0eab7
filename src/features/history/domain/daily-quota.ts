import type { Advance } from './contiguous.js';
import type { ReceiptRow } from '../history.types.js';

/** Events that may be stored on one day (UTC). */
export interface DailyLimits {
  readonly ofDevice: number;
  readonly ofOwner: number;
}

/** What continues the sequence of one boot of one device. */
export interface Step<T> extends Advance<T> {
  readonly row: ReceiptRow;
}

/** Cuts the steps of one batch to what the day has left of the quotas: to their first events, so that no gap arises. */
export function withinDailyLimits<T>(steps: readonly Step<T>[], limits: DailyLimits): Step<T>[] {
  const stored = new Map<string, number>();
  return steps.map((step) => {
    const { deviceId, ownerId, deviceEventsToday, ownerEventsToday, seq } = step.row;
    const ofDevice = stored.get(deviceId) ?? deviceEventsToday;
    const ofOwner = stored.get(ownerId) ?? ownerEventsToday;
    const left = Math.max(0, Math.min(limits.ofDevice - ofDevice, limits.ofOwner - ofOwner));
    const accepted = step.accepted.slice(0, left);
    stored.set(deviceId, ofDevice + accepted.length);
    stored.set(ownerId, ofOwner + accepted.length);
    // What is beyond the quota is no gap that would close by itself: nothing waits for it.
    return accepted.length === step.accepted.length
      ? step
      : { row: step.row, accepted, waiting: [], seq: seq + accepted.length };
  });
}
