import { describe, expect, it } from '@jest/globals';
import { DeviceAccessRepository } from './device-access.repository.js';

type Database = ConstructorParameters<typeof DeviceAccessRepository>[0];

/** Seen to fail: a question about 50,000 pairs held up every short read of the process. */
describe('What ties users to devices', () => {
  it.each([
    [1, 'queryHot'],
    [300, 'queryHot'],
    [301, 'query'],
    [5_000, 'query'],
  ])('is asked about %i pairs by one %s', async (count, method) => {
    const asked: string[] = [];
    const ask = (name: string) => () => {
      asked.push(name);
      return Promise.resolve([]);
    };
    const database = { query: ask('query'), queryHot: ask('queryHot') } as unknown as Database;
    const pairs = Array.from({ length: count }, (_, n) => ({ deviceId: 'door', userId: String(n) }));
    await new DeviceAccessRepository(database).listTies(pairs);
    expect(asked).toEqual([method]);
  });
});
