import { FASTEST_RATE, LONGEST_ANCHOR_MS, LONGEST_DELAY_MS, SLOWEST_RATE } from './domain/clock-anchor.js';

/** SQL: milliseconds from the anchor to `at`. */
const sinceAnchor = (at: string): string => `extract(epoch FROM ${at} - anchor_at) * 1000`;

/**
 * SQL: how long a device has been up at the least at `at`, by its anchor, if a report of the uptime `reported` that arrived
 * then is of the same start; else null. See domain/clock-anchor.ts.
 */
const byAnchor = (reported: string, at: string): string =>
  `CASE WHEN uptime_fell_at IS NULL AND ${at} BETWEEN anchor_at AND anchor_at + interval '${String(LONGEST_ANCHOR_MS)} ms'
     AND ${reported} > (${sinceAnchor(at)} + ${String(LONGEST_DELAY_MS)}) * ${String(FASTEST_RATE)}
     THEN floor(anchor_uptime_ms + ${sinceAnchor(at)} * ${String(SLOWEST_RATE)})::bigint END`;

/** SQL: the condition that the anchor stays, because such a report was late. */
export const keepsAnchor = (reported: string, at: string): string => `${byAnchor(reported, at)} > ${reported}`;

/**
 * SQL: how long a device had been up at the least when its newest report arrived, which is when `boot_reported_at` says. A
 * process of the previous release writes no anchor: one that is none of this start is told by the newest report.
 */
export const LEAST_UPTIME_MS = `greatest(boot_uptime_ms, ${byAnchor('boot_uptime_ms', 'boot_reported_at')})`;
