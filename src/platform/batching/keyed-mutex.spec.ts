import { describe, expect, it } from '@jest/globals';
import { KeyedMutex } from './keyed-mutex.js';

describe('KeyedMutex', () => {
  it('runs work for one key one after another, in the order it came', async () => {
    const turns = new KeyedMutex();
    const story: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const first = turns.run('lock', async () => {
      story.push('first begins');
      await gate.promise;
      story.push('first ends');
    });
    const second = turns.run('lock', () => {
      story.push('second');
      return Promise.resolve();
    });
    await turns.run('other', () => {
      story.push('other');
      return Promise.resolve();
    });
    gate.resolve(undefined);
    await Promise.all([first, second]);
    expect(story).toEqual(['first begins', 'other', 'first ends', 'second']);
  });

  it('goes on after a failure, and tells only the one who failed', async () => {
    const turns = new KeyedMutex();
    const failing = turns.run('lock', () => Promise.reject(new Error('no')));
    const next = turns.run('lock', () => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('remembers no key without work', async () => {
    const turns = new KeyedMutex();
    await Promise.all([1, 2, 3].map((n) => turns.run('lock', () => Promise.resolve(n))));
    expect(turns.size).toBe(0);
  });
});
