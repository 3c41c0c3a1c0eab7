// TRANSITIONAL. The categories of rate limits and their defaults, until each feature declares its own. Nothing else in
// this folder names a category: when this file goes, `rateLimits` and `RateCategory` of AppConfig go with it, and
// `renderEnvExample` is given the defaults that were declared.
import { parseRateLimit, type RateLimit, scaleRateLimit } from './rate-limit.js';

/** What a category counts, and its limit where no variable sets one. */
export interface RateLimitDefault {
  readonly description: string;
  readonly limit: string;
}

export const DEFAULT_RATE_LIMITS = {
  anonymous: { description: 'Requests of an address without a valid access token.', limit: '100/1m' },
  user: { description: 'Requests of a signed-in person.', limit: '500/1m+50' },
  auth: { description: 'Logins, registrations, forgotten passwords of an address.', limit: '5/1m' },
  device: { description: 'Operations on devices of a person.', limit: '100/1m+20' },
  analytics: { description: 'Analytics queries of a person.', limit: '50/1m' },
  exports: { description: 'Exports of a person.', limit: '10/1h' },
  admin: { description: 'Operations of an administrator.', limit: '300/1m' },
  mail: { description: 'Mails that a person has sent to an address they name.', limit: '30/1h' },
  unlock: { description: 'Unlock commands for one device, whoever sends them.', limit: '15/1m' },
} as const satisfies Record<string, RateLimitDefault>;

/** What has a rate limit of its own. */
export type RateCategory = keyof typeof DEFAULT_RATE_LIMITS;

type Overrides = Readonly<Record<string, RateLimit | undefined>>;

export function rateLimitsOf(overrides: Overrides, scale: number): Readonly<Record<RateCategory, RateLimit>> {
  const limitOf = (category: RateCategory): RateLimit =>
    scaleRateLimit(overrides[category] ?? parseRateLimit(DEFAULT_RATE_LIMITS[category].limit), scale);
  return Object.freeze({
    anonymous: limitOf('anonymous'),
    user: limitOf('user'),
    auth: limitOf('auth'),
    device: limitOf('device'),
    analytics: limitOf('analytics'),
    exports: limitOf('exports'),
    admin: limitOf('admin'),
    mail: limitOf('mail'),
    unlock: limitOf('unlock'),
  });
}
