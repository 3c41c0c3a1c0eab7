const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** After the failure of that number; the sum is three days. */
const DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  18 * HOUR_MS,
  22 * HOUR_MS,
];
/** Added at most, so that what failed together is not tried together again. */
const JITTER = 0.1;
const LONGEST_WISH_MS = HOUR_MS;

/** An endpoint that failed so often in a row gets one attempt at a time. */
const PAUSED_FROM = 5;
const FIRST_PAUSE_MS = 5 * SECOND_MS;
const LONGEST_PAUSE_MS = 5 * MINUTE_MS;

/** How long a device's later events wait for one that fails. */
export const HELD_BACK_MS = 5 * MINUTE_MS;
/** An endpoint that took nothing for so long is disabled. */
export const FAILING_LIMIT_MS = 72 * HOUR_MS;

/**
 * How long to wait after an attempt that failed; null: it was the last one.
 * @param failures with this one
 * @param wishMs what the receiver asks for by `Retry-After`: heard, up to an hour
 * @param random from 0 to 1
 */
export function delayAfter(failures: number, wishMs: number | null, random: number): number | null {
  const delay = DELAYS_MS[failures - 1];
  return delay === undefined
    ? null
    : Math.round(Math.max(delay * (1 + JITTER * random), Math.min(wishMs ?? 0, LONGEST_WISH_MS)));
}

/** How long an endpoint is left alone that failed so many times in a row. */
export function pauseAfter(failures: number): number {
  return failures < PAUSED_FROM ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - PAUSED_FROM), LONGEST_PAUSE_MS);
}

/** `Retry-After` (RFC 9110, section 10.2.3) in milliseconds; null where there is none that can be read. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) {
    return null;
  }
  if (/^\d{1,9}$/.test(value.trim())) {
    return Number(value) * SECOND_MS;
  }
  // Without this, `Date.parse` takes nearly anything for a date: "-5" is one in the year 2001.
  const at = /^[A-Z][a-z]+,? .* GMT$/.test(value) ? Date.parse(value) : NaN;
  return Number.isFinite(at) ? Math.max(0, at - nowMs) : null;
}
