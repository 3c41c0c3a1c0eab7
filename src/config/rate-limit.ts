import { z } from 'zod';
import { milliseconds } from './settings.js';

/** So many requests in any window of that length, and now and then a few more at once. */
export interface RateLimitPolicy {
  readonly limit: number;
  readonly windowMs: number;
  /** How many may come on top in a burst. They count, so they only bring forward what comes later. */
  readonly burst: number;
}

/** How many requests pass at once, after a window without any. */
export const quotaOf = ({ limit, burst }: RateLimitPolicy): number => limit + burst;

/** `RATE_LIMIT_SCALE` is a setting of its own, which multiplies the others. */
const VARIABLE = /^RATE_LIMIT_(?!SCALE$)([A-Z][A-Z\d]*(?:_[A-Z\d]+)*)$/;
const FORMAT = /^(\d+)\/(\d+[smhd])(?:\+(\d+))?$/;
const EXPECTED = 'must be a number of requests and a time such as 5/1m, or with a burst 100/1m+20';

/** `100/1m`, or `100/1m+20` with a burst of 20. */
const LIMIT = z
  .string()
  .regex(FORMAT, { error: EXPECTED })
  .transform((text) => parseRateLimit(text))
  .refine(({ limit, windowMs }) => limit > 0 && windowMs > 0, { error: EXPECTED });

/** Whether a variable sets the limit of a category. Which categories there are is not known here. */
export function isRateLimitVariable(variable: string): boolean {
  return VARIABLE.test(variable);
}

/** Of variables that set limits, by category: `RATE_LIMIT_ACCESS_CODES` is the limit of `access_codes`. */
export const RATE_LIMIT_OVERRIDES = z
  .record(z.string(), LIMIT)
  .transform((limits) =>
    Object.freeze(Object.fromEntries(Object.entries(limits).map(([name, limit]) => [categoryOf(name), limit]))),
  );

/** Of a text that is known to be right, such as a default in the code. */
export function parseRateLimit(text: string): RateLimitPolicy {
  const [, limit, window = '', burst = 0] = FORMAT.exec(text) ?? [];
  return Object.freeze({ limit: Number(limit), windowMs: milliseconds(window), burst: Number(burst) });
}

/** A limit stays at least 1. */
export function scaleRateLimit({ limit, windowMs, burst }: RateLimitPolicy, factor: number): RateLimitPolicy {
  return Object.freeze({ limit: Math.max(1, Math.round(limit * factor)), windowMs, burst: Math.round(burst * factor) });
}

/** The environment variable that sets the limit of a category. */
export function rateLimitVariable(category: string): string {
  return `RATE_LIMIT_${category.toUpperCase()}`;
}

function categoryOf(variable: string): string {
  return (VARIABLE.exec(variable)?.[1] ?? variable).toLowerCase();
}
