import { duration } from './settings.js';

/** So many requests in any window of that length, and now and then a few more at once. */
export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
  /** How many may come on top in a burst. They count, so they only bring forward what comes later. */
  readonly burst: number;
}

/** `RATE_LIMIT_SCALE` is a setting of its own, which multiplies the others. */
const VARIABLE = /^RATE_LIMIT_(?!SCALE$)([A-Z][A-Z\d]*(?:_[A-Z\d]+)*)$/;

/** Whether a variable sets the limit of a category. Which categories there are is not known here. */
export function isRateLimitVariable(variable: string): boolean {
  return VARIABLE.test(variable);
}

/** `100/1m`, or `100/1m+20` with a burst of 20. */
export function parseRateLimit(raw: string): RateLimit {
  const [, limit, window, burst] = /^(\d+)\/(\d+[smhd])(?:\+(\d+))?$/.exec(raw) ?? [];
  if (window === undefined || Number(limit) === 0 || duration(window) === 0) {
    throw new Error('must be a number of requests and a time such as 5/1m, or with a burst 100/1m+20');
  }
  return { limit: Number(limit), windowMs: duration(window), burst: Number(burst ?? 0) };
}

/** A limit stays at least 1. */
export function scaleRateLimit({ limit, windowMs, burst }: RateLimit, factor: number): RateLimit {
  return Object.freeze({ limit: Math.max(1, Math.round(limit * factor)), windowMs, burst: Math.round(burst * factor) });
}

/** The environment variable that sets the limit of a category. */
export function rateLimitVariable(category: string): string {
  return `RATE_LIMIT_${category.toUpperCase()}`;
}

/** `RATE_LIMIT_ACCESS_CODES` is the limit of `access_codes`. */
export function categoryOf(variable: string): string {
  return (VARIABLE.exec(variable)?.[1] ?? variable).toLowerCase();
}
