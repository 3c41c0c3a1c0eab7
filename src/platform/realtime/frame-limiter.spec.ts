import { describe, expect, it } from '@jest/globals';
import { FrameLimiter } from './frame-limiter.js';

describe('The frames of one connection', () => {
  const takes = (limiter: FrameLimiter, count: number, now: number, bytes = 1): number =>
    Array.from({ length: count }, () => limiter.take(bytes, now)).filter((goesOn) => goesOn).length;

  it('are as many as a burst, then 100 a second', () => {
    const limiter = new FrameLimiter(1, 0);
    expect(takes(limiter, 2_000, 0)).toBe(2_000);
    expect(limiter.take(1, 0)).toBe(false);
    expect(takes(new FrameLimiter(1, 0), 2_100, 1_000)).toBe(2_000);
    const busy = new FrameLimiter(1, 0);
    takes(busy, 2_000, 0);
    expect(takes(busy, 150, 1_000)).toBe(100);
  });

  it('have as many bytes as the largest messages of a burst, then 1 MiB a second', () => {
    const limiter = new FrameLimiter(1, 0);
    expect(takes(limiter, 256, 0, 65_536)).toBe(256);
    expect(takes(limiter, 20, 1_000, 65_536)).toBe(16);
  });

  it('are as many as the scale of all limits says', () => {
    expect(takes(new FrameLimiter(10, 0), 25_000, 0)).toBe(20_000);
    expect(takes(new FrameLimiter(0.5, 0), 2_000, 0)).toBe(1_000);
    expect(takes(new FrameLimiter(10, 0), 3_000, 0, 65_536)).toBe(2_560);
  });
});
