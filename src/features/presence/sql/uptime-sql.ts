import { FALL_MS, OVERTAKEN_MS } from '../domain/uptime.js';

/**
 * The condition that a later report of the same boot, of the uptime `reported` and from the time `at`, lags behind the
 * newest one by more than `ms`, beside what their order of arrival explains.
 */
const lags = (reported: string, at: string, ms: number): string =>
  `boot_uptime_ms - ${reported} > ${String(ms)} + greatest(extract(epoch FROM boot_reported_at - (${at})) * 1000, 0)`;

/** The condition that it shows that the uptime fell. */
export const isFall = (reported: string, at: string): string => lags(reported, at, FALL_MS);

/**
 * The condition that such a report counts from now on: it has an uptime, and was not merely overtaken by the newest one.
 * After a birth without an uptime, the next one counts whatever it is.
 */
export const counts = (reported: string, at: string): string =>
  `(${reported} IS NULL OR boot_reported_at IS NOT NULL
    AND ${reported} < boot_uptime_ms AND NOT ${lags(reported, at, OVERTAKEN_MS)}) IS NOT TRUE`;

/** When a boot started by such a report, in milliseconds since 1970: at the latest, since a report takes its time. */
const startBy = (reported: string, at: string): string => `(extract(epoch FROM ${at}) * 1000)::bigint - ${reported}`;

/**
 * The condition that a report, if it shows no fall, leaves none: none was seen, or the boot started as early as it seemed
 * before, and the reports since then were late.
 */
export const isBack = (reported: string, at: string): string =>
  `(uptime_fell_at IS NULL AND ${reported} IS NOT NULL
    OR ${startBy(reported, at)} <= start_before_fall + ${String(OVERTAKEN_MS)})`;

/** What {@link isBack} compares with, from a fall on, or from a birth without an uptime on, after which one may be seen. */
export const START_BEFORE_FALL = `coalesce(start_before_fall, ${startBy('boot_uptime_ms', 'boot_reported_at')})`;

/** The time, on the database clock, of what arrived `age` milliseconds ago. */
export const ago = (age: string): string => `(now() - make_interval(secs => (${age})::float8 / 1000))`;
