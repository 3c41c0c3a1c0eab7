import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof ANALYTICS_RATE_LIMITS, true> {}
}

export const ANALYTICS_RATE_LIMITS = {
  analytics: { description: 'Analyses of a person.', limit: '50/1m', keyOf: userKey },
} satisfies RateLimitCategories;
