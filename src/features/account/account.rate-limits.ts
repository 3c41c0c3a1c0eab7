import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof ACCOUNT_RATE_LIMITS, true> {}
}

export const ACCOUNT_RATE_LIMITS = {
  mail: { description: 'Mails that a person has sent to an address they name.', limit: '30/1h', keyOf: userKey },
} satisfies RateLimitCategories;
