import type { RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { DomainError, AsProblem, type ProblemType } from '../../shared/domain-error.js';

export const RATE_LIMITED: ProblemType = {
  code: 'rate_limited',
  kind: 'too_many',
  meaning: 'Too many requests.',
  cause: 'A rate limit is used up; `detail` names it, and `RateLimit` says what is left of each.',
  cure: 'Wait as long as `Retry-After` says. Ask less often: follow the live feed instead of polling.',
};

@AsProblem(RATE_LIMITED, 'user', { limit: 100, windowMs: 60_000, burst: 0 }, 12_000)
export class RateLimitedError extends DomainError {
  constructor(category: RateCategory, { limit, windowMs, burst }: RateLimitPolicy, resetMs: number) {
    const more = burst > 0 ? `, and ${String(burst)} more now and then` : '';
    super(`Too many requests: the limit "${category}" is ${String(limit)} in ${String(windowMs / 1_000)} s${more}.`, {
      category,
      retryAfter: Math.ceil(resetMs / 1_000),
    });
  }
}

@AsProblem(
  {
    code: 'address_blocked',
    kind: 'too_many',
    meaning: 'The address is blocked for a while.',
    cause: 'It went on asking for more than the rate limits allow.',
    cure: 'Stop, and wait as long as `Retry-After` says.',
  },
  600_000,
)
export class IpBlockedError extends DomainError {
  constructor(remainingMs: number) {
    super('This address went on asking for more than the rate limits allow, and is blocked for a while.', {
      retryAfter: Math.ceil(remainingMs / 1_000),
    });
  }
}
