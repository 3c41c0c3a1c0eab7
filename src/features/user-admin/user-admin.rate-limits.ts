import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof USER_ADMIN_RATE_LIMITS, true> {}
}

export const USER_ADMIN_RATE_LIMITS = {
  admin: { description: 'Operations of an administrator.', limit: '300/1m', keyOf: userKey },
  exports: { description: 'Exports of a person.', limit: '10/1h', keyOf: userKey },
} satisfies RateLimitCategories;
