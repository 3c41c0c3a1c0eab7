import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RateCategory } from '../../contracts/rate-limits.js';
import type { LookupQuestion } from './lookup-registry.js';
import { type Charge, type ChargesAnswer, RateLimiter } from './rate-limiter.js';

type ThrottlerStorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** The throttler's view of the limits: one by one, and those of a request together. Times are in milliseconds. */
@Injectable()
export class RateLimitStorage implements ThrottlerStorage {
  constructor(private readonly limits: RateLimiter) {}

  async increment(
    key: string,
    _ttl: number,
    limit: number,
    _blockDuration: number,
    category: string,
  ): Promise<ThrottlerStorageRecord> {
    const { admitted, remaining, resetMs } = await this.limits.spend(category as RateCategory, key);
    return {
      totalHits: limit - remaining,
      timeToExpire: resetMs,
      isBlocked: !admitted,
      timeToBlockExpire: admitted ? 0 : resetMs,
    };
  }

  /** Whether a charge would be refused, as far as this process knows without asking. */
  isSpent(charge: Charge): boolean {
    return this.limits.isSpent(charge);
  }

  incrementAll(charges: readonly Charge[], question: LookupQuestion | null): Promise<ChargesAnswer> {
    return this.limits.ask(charges, question);
  }
}
