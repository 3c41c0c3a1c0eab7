import type { z } from 'zod';
import { DOCS, durationFrom } from './settings.js';

const MOST = '24h';
const life = (initial: string, what: string): z.ZodType<number, string | undefined> =>
  durationFrom('0s', MOST)
    .prefault(initial)
    .register(DOCS, {
      description: `The longest that ${what} is answered from the cache: up to 24h. A change ends it at once. 0s: never.`,
      example: initial,
    });

/** How long answers are cached, by category. */
export const CACHE_SETTINGS = {
  CACHE_DEVICES_TTL: life('30m', 'a list of devices'),
  CACHE_USERS_TTL: life('15m', 'what belongs to an account, and a list of accounts,'),
  CACHE_ANALYTICS_TTL: life('5m', 'an analysis'),
  CACHE_LIVE_TTL: life('30s', 'a count of the devices that a person sees'),
} as const;

export type CacheSettings = { readonly [V in keyof typeof CACHE_SETTINGS]: z.output<(typeof CACHE_SETTINGS)[V]> };

/** What kind of answer is cached; each has its longest life. */
export const CACHE_CATEGORIES = ['devices', 'users', 'analytics', 'live'] as const;
export type CacheCategory = (typeof CACHE_CATEGORIES)[number];

/** In milliseconds; 0 is never. */
export function cacheTtlsOf(settings: CacheSettings): Readonly<Record<CacheCategory, number>> {
  return Object.freeze({
    devices: settings.CACHE_DEVICES_TTL,
    users: settings.CACHE_USERS_TTL,
    analytics: settings.CACHE_ANALYTICS_TTL,
    live: settings.CACHE_LIVE_TTL,
  });
}
