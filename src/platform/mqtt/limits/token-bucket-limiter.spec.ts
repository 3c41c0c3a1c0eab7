import { describe, expect, it } from '@jest/globals';
import { TokenBucketLimiter } from './token-bucket-limiter.js';

let now = 0;
const limiter = (): TokenBucketLimiter => new TokenBucketLimiter({ perSecond: 2, burst: 4 }, () => now);

describe('TokenBucketLimiter', () => {
  it('gives a burst, then as many per second, and each key its own', () => {
    const bucket = limiter();
    expect([bucket.take('a', 4), bucket.take('a'), bucket.take('b')]).toEqual([true, false, true]);
    now += 500;
    expect([bucket.take('a'), bucket.take('a')]).toEqual([true, false]);
    now += 60_000;
    expect([bucket.take('a', 5), bucket.take('a', 4)]).toEqual([false, true]);
  });

  it('says how long a debt takes', () => {
    const bucket = limiter();
    expect([bucket.spend('a', 4), bucket.spend('a', 3)]).toEqual([0, 1_500]);
    now += 1_000;
    expect(bucket.spend('a', 0)).toBe(500);
    bucket.reset('a');
    expect(bucket.take('a', 4)).toBe(true);
  });
});
