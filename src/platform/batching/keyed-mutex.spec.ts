import { describe, expect, it } from '@jest/globals';
import { KeyedMutex } from './keyed-mutex.js';

describe('KeyedMutex', () => {
  it('runs work for one key in sequence, in the order of the calls', async () => {
    const mutex = new KeyedMutex();
    const steps: string[] = [];
    const blocker = Promise.withResolvers<undefined>();
    const first = mutex.run('lock', async () => {
      steps.push('first begins');
      await blocker.promise;
      steps.push('first ends');
    });
    const second = mutex.run('lock', () => {
      steps.push('second');
      return Promise.resolve();
    });
    await mutex.run('other', () => {
      steps.push('other');
      return Promise.resolve();
    });
    blocker.resolve(undefined);
    await Promise.all([first, second]);
    expect(steps).toEqual(['first begins', 'other', 'first ends', 'second']);
  });

  it('runs the next work after a failure, and rejects only the call that failed', async () => {
    const mutex = new KeyedMutex();
    const failing = mutex.run('lock', () => Promise.reject(new Error('no')));
    const next = mutex.run('lock', () => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('keeps no key without work', async () => {
    const mutex = new KeyedMutex();
    await Promise.all([1, 2, 3].map((n) => mutex.run('lock', () => Promise.resolve(n))));
    expect(mutex.size).toBe(0);
  });
});
