import { expect, it } from '@jest/globals';
import { newContext, requestContext, runInContext } from '../context/request-context.js';
import { connectionKind } from '../prisma/connection-quota.js';
import { ReplayLimiter } from './replay-limiter.js';

/** Seen to fail: as `people`, who may take every connection. */
it.each(['of a request', 'of none'])('Who catches up takes the connections of reads, as part %s', async (part) => {
  const limiter = new ReplayLimiter();
  const ask = (): Promise<unknown[]> => limiter.run('ada', () => Promise.resolve([connectionKind(), requestContext()]));
  const answer = part === 'of none' ? ask() : runInContext(newContext('http', 'user:ada'), ask);
  expect(await answer).toEqual(['reads', undefined]);
});
