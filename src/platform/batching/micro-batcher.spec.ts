import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { newContext, runInContext } from '../context/request-context.js';
import { assertCommitInTime, RequestDeadlineError } from '../context/request-deadline.js';
import { connectionKind } from '../prisma/connection-quota.js';
import { BatcherFullError, BatchOverdueError, type BatchRules, MicroBatcher, RUN_WITHIN_MS } from './micro-batcher.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Doubles numbers; each batch waits for the test to end it. */
function setup(rules: Partial<BatchRules<number, number>> = {}) {
  const batches: { items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const batcher = new MicroBatcher<number, number>({
    maxBatch: 3,
    connectsAs: 'people',
    maxParallel: 1,
    maxWaiting: 5,
    run: (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<number[]>();
      const end = (): void => {
        resolve(items.map((item) => item * 2));
      };
      batches.push({ items, end, fail: reject });
      return promise;
    },
    ...rules,
  });
  return { batcher, batches, sizes: () => batches.map(({ items }) => items.length) };
}

describe('MicroBatcher', () => {
  it('runs what arrives in one turn as one batch, and gives each item its own result', async () => {
    const { batcher, batches } = setup();
    const results = Promise.all([1, 2, 3].map((item) => batcher.submit(item)));
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]?.end();
    await expect(results).resolves.toEqual([2, 4, 6]);
  });

  it('collects what arrives while a batch is under way, in its order and up to the limit', async () => {
    const { batcher, batches } = setup();
    const results = [batcher.submit(1)];
    await turn();
    results.push(...[2, 3, 4, 5].map((item) => batcher.submit(item)));
    await turn();
    expect(batches).toHaveLength(1);
    batches[0]?.end();
    await turn();
    await turn();
    batches[1]?.end();
    await turn();
    await turn();
    batches[2]?.end();
    await expect(Promise.all(results)).resolves.toEqual([2, 4, 6, 8, 10]);
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('runs as many batches in parallel as allowed', async () => {
    const { batcher, batches, sizes } = setup({ maxBatch: 1, maxParallel: 2 });
    const results = [1, 2, 3].map((item) => batcher.submit(item));
    await turn();
    await turn();
    await turn();
    expect(sizes()).toEqual([1, 1]);
    batches[0]?.end();
    batches[1]?.end();
    await Promise.all(results.slice(0, 2));
    await turn();
    batches[2]?.end();
    await Promise.all(results);
  });

  it('tries each alone when a batch fails, so that a bad item does not fail the others', async () => {
    const seen: (readonly number[])[] = [];
    const { batcher } = setup({
      run: (items) => {
        seen.push(items);
        return items.includes(2) ? Promise.reject(new Error('two is bad')) : Promise.resolve(items.map((n) => n * 2));
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual([[1, 2, 3], [1], [2], [3]]);
    await expect(batcher.submit(4)).resolves.toBe(8);
  });

  it('tries a few of a failed batch at a time', async () => {
    let [running, most] = [0, 0];
    const { batcher } = setup({
      maxBatch: 50,
      maxWaiting: 50,
      run: async (items) => {
        if (items.length > 1) {
          throw new Error('one of them is bad');
        }
        most = Math.max(most, ++running);
        await turn();
        running -= 1;
        return items;
      },
    });
    await Promise.all(Array.from({ length: 50 }, (_, item) => batcher.submit(item)));
    expect(most).toBe(4);
  });

  it('runs its batches on the connections of its kind', async () => {
    const { batcher } = setup({
      connectsAs: 'line',
      run: (items) => Promise.resolve(items.map(() => Number(connectionKind() === 'line'))),
    });
    await expect(Promise.all([batcher.submit(1), batcher.submit(2)])).resolves.toEqual([1, 1]);
  });

  it('runs the next batch after one that threw synchronously', async () => {
    const { batcher } = setup({
      run: () => {
        throw new Error('broken');
      },
    });
    await expect(batcher.submit(1)).rejects.toThrow('broken');
    await expect(batcher.submit(2)).rejects.toThrow('broken');
  });

  it('refuses further items at once when too many wait', async () => {
    const { batcher, batches } = setup();
    const held = [1, 2, 3, 4, 5].map((item) => batcher.submit(item));
    await expect(batcher.submit(6)).rejects.toBeInstanceOf(BatcherFullError);
    await turn();
    const next = batcher.submit(7);
    batches[0]?.end();
    await turn();
    await turn();
    batches[1]?.end();
    await expect(Promise.all([...held, next])).resolves.toEqual([2, 4, 6, 8, 10, 14]);
  });

  it('runs in the context of none of its callers, neither the first nor a later one', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { batcher } = setup({
      maxBatch: 1,
      run: (items) => {
        seen.push(context.getStore());
        return Promise.resolve(items);
      },
    });
    const mine = await context.run('ada', async () => {
      await Promise.all([batcher.submit(1), batcher.submit(2)]);
      return context.getStore();
    });
    expect(seen).toEqual([undefined, undefined]);
    expect(mine).toBe('ada');
  });

  it('cuts batches by weight, and runs an item that is too heavy alone', async () => {
    const seen: (readonly number[])[] = [];
    const { batcher } = setup({
      maxBatch: 10,
      weightOf: (item) => item,
      run: (items) => {
        seen.push(items);
        return Promise.resolve(items);
      },
    });
    await Promise.all([4, 6, 1, 12, 3].map((item) => batcher.submit(item)));
    expect(seen).toEqual([[4, 6], [1], [12], [3]]);
  });

  it('tries no more of a failed batch when that takes too long', async () => {
    jest.useFakeTimers();
    let tried = 0;
    const { batcher } = setup({
      maxBatch: 50,
      maxWaiting: 50,
      delayMs: 1,
      run: (items) => {
        tried += items.length === 1 ? 1 : 0;
        return new Promise((_, reject) => {
          setTimeout(reject, 4_000, new Error('out of reach'));
        });
      },
    });
    const outcomes = Promise.allSettled(Array.from({ length: 50 }, (_, item) => batcher.submit(item)));
    await jest.advanceTimersByTimeAsync(20_000);
    expect((await outcomes).map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 'rejected'));
    expect(tried).toBe(8);
    jest.useRealTimers();
  });

  it('commits nothing for a request whose time is over, and tries the rest again that has time for it', async () => {
    jest.useFakeTimers();
    const seen: (readonly number[])[] = [];
    const { batcher } = setup({
      delayMs: 1,
      run: async (items) => {
        seen.push(items);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        assertCommitInTime();
        return items;
      },
    });
    const submit = (item: number, leftMs: number): Promise<number> =>
      runInContext({ ...newContext('http', 'system'), deadline: performance.now() + leftMs }, () =>
        batcher.submit(item),
      );
    const outcomes = Promise.allSettled([submit(1, 500), submit(2, 1_500), submit(3, 5_000)]);
    await jest.advanceTimersByTimeAsync(3_000);
    const refused = { status: 'rejected', reason: expect.any(RequestDeadlineError) };
    expect(await outcomes).toEqual([refused, refused, { status: 'fulfilled', value: 3 }]);
    expect(seen).toEqual([[1, 2, 3], [3]]);
    jest.useRealTimers();
  });

  it('gives up a batch that never ends, tries nothing of it again, and runs the next one in its place', async () => {
    jest.useFakeTimers();
    const { batcher, sizes, batches } = setup({ delayMs: 1 });
    const outcomes = Promise.allSettled([1, 2, 3, 4].map((item) => batcher.submit(item)));
    await jest.advanceTimersByTimeAsync(RUN_WITHIN_MS);
    expect(sizes()).toEqual([3]);
    await jest.advanceTimersByTimeAsync(2);
    expect(sizes()).toEqual([3, 1]);
    batches[1]?.end();
    const refused = { status: 'rejected', reason: expect.any(BatchOverdueError) };
    expect(await outcomes).toEqual([refused, refused, refused, { status: 'fulfilled', value: 8 }]);
    jest.useRealTimers();
  });

  describe('with a delay', () => {
    beforeEach(() => {
      jest.useFakeTimers();
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('waits for more items after the first one', async () => {
      const { batcher, batches } = setup({ delayMs: 1_000 });
      void batcher.submit(1);
      await jest.advanceTimersByTimeAsync(600);
      void batcher.submit(2);
      await jest.advanceTimersByTimeAsync(399);
      expect(batches).toHaveLength(0);
      await jest.advanceTimersByTimeAsync(1);
      expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
    });

    it('does not wait once a batch is full, and runs what arrived meanwhile right after it', async () => {
      const { batcher, batches } = setup({ delayMs: 1_000 });
      [1, 2, 3, 4].forEach((item) => void batcher.submit(item));
      await jest.advanceTimersByTimeAsync(1);
      expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
      batches[0]?.end();
      await jest.advanceTimersByTimeAsync(1);
      expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3], [4]]);
      batches[1]?.end();
      await jest.advanceTimersByTimeAsync(5_000);
      expect([batches.length, jest.getTimerCount()]).toEqual([2, 0]);
    });

    it('flushes everything at once, and says when it is done', async () => {
      const { batcher, batches } = setup({ delayMs: 1_000 });
      let flushed = false;
      const results = [1, 2, 3, 4].map((item) => batcher.submit(item));
      const flush = batcher.flush().then(() => {
        flushed = true;
      });
      await jest.advanceTimersByTimeAsync(1);
      batches[0]?.end();
      await jest.advanceTimersByTimeAsync(1);
      expect([batches.length, flushed]).toEqual([2, false]);
      batches[1]?.end();
      await flush;
      await expect(Promise.all(results)).resolves.toEqual([2, 4, 6, 8]);
      await expect(batcher.flush()).resolves.toBeUndefined();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
