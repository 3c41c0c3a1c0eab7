const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Between the attempts: soon at first, because most faults pass; then for hours. */
const DELAYS_MS = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS];
const JITTER = 0.1;
const LONGEST_WISH_MS = HOUR_MS;

/**
 * How long to wait after an attempt that failed; null: it was the last one.
 * @param failures with this one
 * @param wishMs what the provider asks for: heard, up to an hour
 * @param random from 0 to 1
 */
export function retryDelayMs(failures: number, wishMs: number | null, random: number): number | null {
  const delay = DELAYS_MS[failures - 1];
  return delay === undefined
    ? null
    : Math.round(Math.max(delay * (1 + JITTER * random), Math.min(wishMs ?? 0, LONGEST_WISH_MS)));
}
