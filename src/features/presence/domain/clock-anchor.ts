import { LOCK_CLOCK_TOLERANCE } from '../../../contracts/orders.js';

/** What a device said of its uptime, and when that arrived; both in milliseconds. */
export interface UptimeReading {
  readonly uptimeMs: number;
  /** On the database clock. */
  readonly at: number;
}

/** The part of the time that passes on the slowest clock which still keeps deadlines. */
export const SLOWEST_RATE = 1 - LOCK_CLOCK_TOLERANCE;
/** No clock of a device is faster than this. */
export const FASTEST_RATE = 1.1;
/**
 * How far an anchor may lie before the newest report: three heartbeats and a half. It also bounds by how much, and for how
 * long, a step of the database clock makes deadlines late.
 */
export const LONGEST_ANCHOR_MS = 120_000;
/**
 * The longest that a report can have been on its way. A hung process of ours makes it a minute at most (MAX_WAITED_MS), a dead
 * connection to the broker three (its keep-alive is 120 s at most).
 */
export const LONGEST_DELAY_MS = 300_000;

/**
 * Whether the device has been up without a break since it sent `anchor`, so that both reports are of one start, even if it
 * repeats its boot id. Had it started since, its uptime could be no longer than the time between the sending of the two.
 */
export function isOfOneStart(newest: UptimeReading, anchor: UptimeReading): boolean {
  const betweenMs = newest.at - anchor.at;
  return (
    betweenMs >= 0 && betweenMs <= LONGEST_ANCHOR_MS && newest.uptimeMs > (betweenMs + LONGEST_DELAY_MS) * FASTEST_RATE
  );
}

/** How long the device has been up at the least when the newest report arrived. */
export function leastUptimeMs(newest: UptimeReading, anchor: UptimeReading | null): number {
  return anchor !== null && isOfOneStart(newest, anchor)
    ? Math.max(newest.uptimeMs, Math.floor(anchor.uptimeMs + (newest.at - anchor.at) * SLOWEST_RATE))
    : newest.uptimeMs;
}

/** The report from which deadlines count, once a newer one has arrived: the one that shows the longer uptime. */
export function nextAnchor(newest: UptimeReading, anchor: UptimeReading | null): UptimeReading {
  return anchor !== null && leastUptimeMs(newest, anchor) > newest.uptimeMs ? anchor : newest;
}
