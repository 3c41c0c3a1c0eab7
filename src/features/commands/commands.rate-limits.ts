import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof COMMANDS_RATE_LIMITS, true> {}
}

/** So many times the limit of one person are the unlocks of a device as a whole: only those count that were accepted. */
export const UNLOCKS_IN_ALL = 4;

export const COMMANDS_RATE_LIMITS = {
  unlock: {
    description: 'Unlock commands of a person for one device; four times as many are accepted for it in all.',
    limit: '15/1m',
    keyOf: ({ body, principal, target }) =>
      principal && target && asksToUnlock(body) ? `${principal.userId} ${target.id}` : null,
    repeatsAreFree: true,
  },
} satisfies RateLimitCategories;

function asksToUnlock(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'name' in body && body.name === 'unlock_door';
}
