import { describe, expect, it } from '@jest/globals';
import { DeadLetterRegistry, type DeadLetterSource } from './dead-letter-registry.js';

const source: DeadLetterSource = {
  list: () => Promise.resolve({ items: [], nextCursor: 'next' }),
  replay: () => Promise.resolve('replayed'),
  discard: () => Promise.resolve(true),
};

describe('DeadLetterRegistry', () => {
  it('has the source of each queue', () => {
    const registry = new DeadLetterRegistry();
    registry.register('mail', source);
    expect(registry.of('mail')).toBe(source);
  });

  it('refuses a second source for a queue', () => {
    const registry = new DeadLetterRegistry();
    registry.register('mail', source);
    expect(() => {
      registry.register('mail', source);
    }).toThrow('two owners');
  });

  it('has none for a queue without an owner', async () => {
    const none = new DeadLetterRegistry().of('webhooks');
    expect(await none.list({ limit: 10 })).toEqual({ items: [], nextCursor: null });
    expect([await none.replay('x'), await none.discard('x')]).toEqual(['gone', false]);
  });
});
