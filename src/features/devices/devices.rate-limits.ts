import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof DEVICES_RATE_LIMITS, true> {}
}

export const DEVICES_RATE_LIMITS = {
  device: { description: 'Operations on devices of a person.', limit: '100/1m+20', keyOf: userKey },
} satisfies RateLimitCategories;
