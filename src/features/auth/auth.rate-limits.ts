import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof AUTH_RATE_LIMITS, true> {}
}

export const AUTH_RATE_LIMITS = {
  auth: {
    description:
      'Logins, registrations, forgotten passwords of an address, of the known devices of an account, or of a person.',
    limit: '5/1m',
    keyOf: userKey,
    wellFormedOnly: true,
  },
  refresh: {
    description: 'Refreshes of a session; without a refresh token of this server, `anonymous` limits them.',
    limit: '30/1m',
    keyOf: ({ provenAs = null }) => provenAs,
  },
  reauthentication: {
    description: 'Requests of a person that take the password again: another one, another e-mail address, deletion.',
    limit: '10/1m',
    keyOf: userKey,
    wellFormedOnly: true,
  },
} satisfies RateLimitCategories;
