/** Seen to fail with the Redis of ioredis itself: none of the first three connections ended. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EndingRedisClient } from '../../src/platform/redis/ending-redis-client.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { emptyRedis } from '../support/redis.js';
import { eventually } from '../support/wait.js';

/** Longer than the goodbye, the two seconds that ioredis adds, and a busy machine take together. */
const ENDS_WITHIN_MS = 8_000;

let proxy: FaultProxy;
let client: EndingRedisClient;
let hasEnded: boolean;

beforeEach(async () => {
  proxy = await FaultProxy.inFrontOf(await emptyRedis());
  hasEnded = false;
  client = new EndingRedisClient(proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 300 });
  client.on('error', () => undefined);
  client.on('end', () => {
    hasEnded = true;
  });
  await client.ping();
});

afterEach(async () => {
  client.disconnect();
  await proxy.close();
});

const ended = (): Promise<boolean> => eventually('the connection has ended', () => hasEnded, ENDS_WITHIN_MS);

describe('EndingRedisClient', () => {
  it('ends in the pause between two attempts, and refuses what was under way before', async () => {
    const pop = client.blpop('empty', 0).catch((error: unknown) => error);
    proxy.down();
    await eventually('it pauses', () => client.status === 'reconnecting');
    client.disconnect();
    await ended();
    expect(await pop).toMatchObject({ message: 'Connection is closed.' });
  });

  it('ends when its last attempt succeeds', async () => {
    proxy.cutAll();
    await eventually('it pauses', () => client.status === 'reconnecting');
    client.disconnect();
    await ended();
  });

  it('says goodbye to a connection that is silently dead, and waits no longer for an answer', async () => {
    proxy.silence();
    const goodbye = client.quit().catch((error: unknown) => error);
    await ended();
    expect(await goodbye).toMatchObject({ message: 'Connection is closed.' });
  });

  it('connects again after a loss that no one asked for', async () => {
    proxy.cutAll();
    await client.ping();
    expect(hasEnded).toBe(false);
  });
});
