import { ipKey } from '../../platform/http/client-address.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof AUTH_RATE_LIMITS, true> {}
}

export const AUTH_RATE_LIMITS = {
  auth: {
    description: 'Logins, registrations, forgotten passwords of an address.',
    limit: '5/1m',
    keyOf: ipKey,
  },
} satisfies RateLimitCategories;
