import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof COMMANDS_RATE_LIMITS, true> {}
}

export const COMMANDS_RATE_LIMITS = {
  unlock: {
    description: 'Unlock commands for one device, of all users together.',
    limit: '15/1m',
    keyOf: (request) => (asksToUnlock(request.body) ? (request.target?.id ?? null) : null),
  },
} satisfies RateLimitCategories;

function asksToUnlock(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'name' in body && body.name === 'unlock_door';
}
