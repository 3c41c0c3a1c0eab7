import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof WEBHOOKS_RATE_LIMITS, true> {}
}

export const WEBHOOKS_RATE_LIMITS = {
  webhooks: { description: 'Changes, tests and replays of webhooks by a person.', limit: '60/1m', keyOf: userKey },
} satisfies RateLimitCategories;
