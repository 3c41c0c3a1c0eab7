/**
 * How far behind the newest report of its boot a later one may be: two processes share the messages of a device, and their
 * clocks and queues differ a little. One further behind shows that the uptime fell: a counter of 32 bits wrapped (after
 * 49.7 days), or a device that started again repeated its boot id.
 */
export const LATE_REPORT_MS = 5_000;

/** Whether a later report of the same boot shows that the uptime fell. */
export function hasFallen(beforeMs: number, afterMs: number): boolean {
  return afterMs < beforeMs - LATE_REPORT_MS;
}
