import type { BucketPolicy } from './device-limits.js';

/** Beyond it the bucket that was used least recently is forgotten, which fills it. */
const MAX_BUCKETS = 50_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each key. A bucket is full at first. */
export class TokenBucketLimiter {
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param monotonic milliseconds on a clock that never jumps */
  constructor(
    private readonly policy: BucketPolicy,
    private readonly monotonic: () => number,
  ) {}

  /** Takes `amount` if it is there, and nothing otherwise. */
  take(key: string, amount = 1): boolean {
    const bucket = this.filled(key);
    if (bucket.tokens < amount) {
      return false;
    }
    bucket.tokens -= amount;
    return true;
  }

  /** Takes `amount` whether it is there or not. @returns the milliseconds until the debt is paid; 0 without a debt. */
  spend(key: string, amount = 1): number {
    const bucket = this.filled(key);
    bucket.tokens -= amount;
    return bucket.tokens >= 0 ? 0 : Math.ceil((-bucket.tokens / this.policy.perSecond) * 1_000);
  }

  /** Fills a bucket. */
  reset(key: string): void {
    this.#buckets.delete(key);
  }

  private filled(key: string): Bucket {
    const { perSecond, burst } = this.policy;
    const now = this.monotonic();
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (known === undefined && this.#buckets.size > MAX_BUCKETS) {
      this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    }
    return bucket;
  }
}
