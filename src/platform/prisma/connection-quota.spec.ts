import { describe, expect, it } from '@jest/globals';
import { ConnectionQuota } from './connection-quota.js';

describe('ConnectionQuota', () => {
  it('runs as many at once as it may, the others in order, and passes a place on after a failure', async () => {
    const quota = new ConnectionQuota(2);
    const started: number[] = [];
    const ends: ((failure?: Error) => void)[] = [];
    const runs = [0, 1, 2, 3].map((index) =>
      quota.run(() => {
        started.push(index);
        return new Promise<number>((resolve, reject) => {
          ends[index] = (failure) => {
            if (failure) {
              reject(failure);
            } else {
              resolve(index);
            }
          };
        });
      }),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    ends[1]?.(new Error('failed'));
    await expect(runs[1]).rejects.toThrow('failed');
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toEqual([0, 1, 2]);
    [0, 2].forEach((index) => ends[index]?.());
    await Promise.all([runs[0], runs[2]]);
    await new Promise((resolve) => setImmediate(resolve));
    ends[3]?.();
    expect(await runs[3]).toBe(3);
  });

  it('lets batches and single work enter in turn, however many of the others wait', async () => {
    const quota = new ConnectionQuota(1);
    const order: string[] = [];
    const enter = (name: string, isBatch: boolean): Promise<void> =>
      quota.run(() => {
        order.push(name);
        return Promise.resolve();
      }, isBatch);
    await Promise.all([
      ...['held', 'm1', 'm2', 'm3', 'm4'].map((name) => enter(name, false)),
      ...['b1', 'b2'].map((name) => enter(name, true)),
    ]);
    expect(order).toEqual(['held', 'b1', 'm1', 'b2', 'm2', 'm3', 'm4']);
  });
});
