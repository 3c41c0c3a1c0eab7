import { describe, expect, it } from '@jest/globals';
import { TooManyMessagesError } from './socket.errors.js';
import { SocketMessageLimiter } from './socket-message-limiter.js';

describe('The messages of one socket', () => {
  const takes = (limiter: SocketMessageLimiter, count: number, now: number): string[] =>
    Array.from({ length: count }, () => limiter.take(now));

  it('are admitted up to a burst, then 50 a second', () => {
    const limiter = new SocketMessageLimiter(1, 0);
    expect(new Set(takes(limiter, 200, 0))).toEqual(new Set(['admitted']));
    expect(limiter.take(0)).toBe('refused');
    expect(limiter.waitMs).toBe(40);
    expect(limiter.take(40)).toBe('admitted');
    expect(takes(limiter, 51, 1_040).filter((verdict) => verdict === 'admitted')).toHaveLength(50);
  });

  it('cut the connection of a client that goes on', () => {
    const limiter = new SocketMessageLimiter(1, 0);
    takes(limiter, 200, 0);
    const refused = takes(limiter, 499, 0);
    expect(new Set(refused)).toEqual(new Set(['refused']));
    expect(limiter.take(0)).toBe('cut');
  });

  it('are as many as the scale of all limits says', () => {
    const limiter = new SocketMessageLimiter(10, 0);
    expect(new Set(takes(limiter, 2_000, 0))).toEqual(new Set(['admitted']));
    expect(limiter.take(0)).toBe('refused');
    expect(new TooManyMessagesError(limiter).message).toContain('500 in a second, and 2000 more');
  });
});
