import { ipKey } from '../../platform/http/client-address.js';
import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
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
  reauthentication: {
    description: 'Requests of a person that take the password again: another one, another e-mail address, deletion.',
    limit: '10/1m',
    keyOf: userKey,
  },
} satisfies RateLimitCategories;
