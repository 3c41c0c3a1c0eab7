/** Seen to fail with the Redis of ioredis itself: none of the first four connections ended. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { EndingRedisClient } from '../../src/platform/redis/ending-redis-client.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { emptyRedis } from '../support/redis.js';
import { eventually } from '../support/wait.js';

/** Longer than a last answer, the two seconds that ioredis adds, and a busy machine take together. */
const ENDS_WITHIN_MS = 8_000;

let proxy: FaultProxy;
let client: EndingRedisClient;
let stopping: AbortController;
let hasEnded: boolean;

beforeEach(async () => {
  proxy = await FaultProxy.inFrontOf(await emptyRedis());
  hasEnded = false;
  stopping = new AbortController();
  client = new EndingRedisClient(proxy.url, {
    maxRetriesPerRequest: null,
    retryStrategy: () => 300,
    stopping: stopping.signal,
  });
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

  it('ends once its owner stops, when it is silently dead, and refuses what was under way', async () => {
    proxy.silence();
    const get = client.get('key').catch((error: unknown) => error);
    stopping.abort();
    await ended();
    expect(await get).toMatchObject({ message: 'Connection is closed.' });
  });

  it('ends once its owner stops, when it is lost then', async () => {
    stopping.abort();
    await client.ping();
    proxy.cutAll();
    await ended();
  });

  it('goes on while its owner stops and Redis answers', async () => {
    stopping.abort();
    await delay(1_500);
    expect(await client.echo('here')).toBe('here');
  });

  it('connects again after a loss that no one asked for', async () => {
    proxy.cutAll();
    await client.ping();
    expect(hasEnded).toBe(false);
  });

  // Seen to fail with the timer of ioredis as it is: the second connection was closed, too.
  it('closes no connection because the one before was silent when it was lost', async () => {
    const socketTimeout = 1_000;
    const other = new EndingRedisClient(proxy.url, {
      maxRetriesPerRequest: null,
      retryStrategy: () => 100,
      socketTimeout,
    });
    let losses = 0;
    other.on('error', () => undefined);
    other.on('close', () => (losses += 1));
    await other.ping();
    const pop = other.blpop('empty', 0.3);
    proxy.cutAll();
    expect(await pop).toBeNull();
    await delay(socketTimeout + 500);
    expect([losses, await other.echo('here')]).toEqual([1, 'here']);
    other.disconnect();
  });
});
