import type { RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { DomainError } from '../../shared/domain-error.js';

export class RateLimitedError extends DomainError {
  readonly code = 'rate_limited';
  readonly kind = 'too_many';
  constructor(category: RateCategory, { limit, windowMs }: RateLimitPolicy, resetMs: number) {
    super(`Too many requests: the limit "${category}" is ${String(limit)} in ${String(windowMs / 1_000)} s.`, {
      category,
      retryAfter: Math.ceil(resetMs / 1_000),
    });
  }
}

export class IpBlockedError extends DomainError {
  readonly code = 'address_blocked';
  readonly kind = 'too_many';
  constructor(remainingMs: number) {
    super('This address went on asking for more than the rate limits allow, and is blocked for a while.', {
      retryAfter: Math.ceil(remainingMs / 1_000),
    });
  }
}
