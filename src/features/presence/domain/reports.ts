import type { Birth, LockedDevice, StateReport } from '../presence.types.js';

/**
 * Whether a birth has waited while a later report of its boot arrived: what it says of the bolt is old, and the connection
 * that it opened may be over. Its uptime counts all the same, in case the device has started again with the same boot id.
 */
export function isOvertaken({ boot, uptimeMs, waitedMs = 0 }: Birth, { clock }: LockedDevice): boolean {
  return waitedMs > 0 && clock?.boot === boot && uptimeMs !== undefined && uptimeMs < clock.uptimeMs;
}

/** One report for each device and boot, with the last value of each member. */
export function latestByBoot(reports: readonly StateReport[]): Map<string, StateReport> {
  const merged = new Map<string, StateReport>();
  for (const report of reports) {
    const key = `${report.deviceId}/${report.boot}`;
    merged.set(key, { ...merged.get(key), ...report });
  }
  return merged;
}

/**
 * Whether a heartbeat may open the link that it has not. That of another boot counts only when the links of the known one are
 * quiet; otherwise it is an old message that arrived late.
 */
export function mayOpen(boot: string, { link, otherLinks }: LockedDevice): boolean {
  return (link === null || link.quiet) && otherLinks.every((other) => other.boot === boot || other.quiet);
}
