import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { RateLimiter } from './rate-limiter.js';

type ThrottlerStorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** The throttler's view of the limits. Times are in milliseconds. */
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
}
