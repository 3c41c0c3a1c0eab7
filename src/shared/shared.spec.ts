import { describe, expect, it } from '@jest/globals';
import { SystemClock } from './system-clock.js';
import { DeadlineExceededError, within } from './deadline.js';
import { isUuid } from './ids.js';
import { toPage } from './paging.js';

describe('toPage', () => {
  const page = (rows: number[], limit: number): unknown => toPage(rows, limit, (row) => row * 10, String);

  it('says where to go on when there is one row more than asked for', () => {
    expect(page([1, 2, 3], 2)).toEqual({ items: [10, 20], nextCursor: '2' });
  });

  it('ends the list when there is not', () => {
    expect(page([1, 2], 2)).toEqual({ items: [10, 20], nextCursor: null });
    expect(page([], 2)).toEqual({ items: [], nextCursor: null });
  });
});

describe('within', () => {
  it('passes on an answer, and a failure', async () => {
    await expect(within(1_000, Promise.resolve('in time'))).resolves.toBe('in time');
    await expect(within(1_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('gives up on what never answers', async () => {
    await expect(within(5, new Promise(() => undefined))).rejects.toThrow(DeadlineExceededError);
  });
});

describe('isUuid', () => {
  it.each([
    ['0198c1de-3f5b-7000-8000-3f3c0f6a7a55', true],
    ['0198C1DE-3F5B-7000-8000-3F3C0F6A7A55', true],
    ['x', false],
    [7, false],
  ])('of %p is %p', (value, expected) => {
    expect(isUuid(value)).toBe(expected);
  });
});

describe('SystemClock', () => {
  it('never runs backwards on its monotonic side', () => {
    const clock = new SystemClock();
    const first = clock.monotonic();
    expect(clock.monotonic()).toBeGreaterThanOrEqual(first);
    expect(clock.now()).toBeGreaterThan(1_700_000_000_000);
  });
});
