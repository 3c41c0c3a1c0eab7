/** Whose entries a process finds. Seen to fail: without the run of Redis, or the generation of the log, in the names of keys. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import type { Clock } from '../../shared/clock.js';
import type { EventStore } from '../events/event-store.js';
import type { RedisClients } from '../redis/redis-clients.js';
import { CacheStore } from './cache-store.js';

/** As much of Redis as says who it is. */
class SampleRedis extends EventEmitter {
  status = 'ready';
  run = '';

  defineCommand(): void {
    // Nothing is asked of it.
  }

  info(): Promise<string> {
    return Promise.resolve(`# Server\r\nredis_version:8.0.0\r\nrun_id:${this.run}\r\n`);
  }
}

const redis = new SampleRedis();
let generation = '';
const store = new CacheStore(
  { app: redis } as unknown as RedisClients,
  { generation: () => Promise.resolve(generation) } as unknown as EventStore,
  { monotonic: () => 0 } as Clock,
  { cacheTtlMs: { devices: 1_000 } } as unknown as AppConfig,
);
store.trustUntil(1_000);

/** The keys of one question, after a connection to this run of Redis beside this log. */
async function keysAt(run: string, log: string): Promise<readonly string[] | undefined> {
  [redis.run, generation] = [run, log];
  redis.emit('close');
  expect(store.questionOf('entry', [], {})).toBeNull();
  redis.emit('ready');
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return store.questionOf('entry', [], {})?.keys;
}

describe('The keys of cached answers', () => {
  it('are the same after another connection, and others in another run of Redis or beside another log', async () => {
    const first = await keysAt('run1', 'log1');
    expect(first).toHaveLength(4);
    expect(await keysAt('run1', 'log1')).toEqual(first);
    const others = [...((await keysAt('run2', 'log1')) ?? []), ...((await keysAt('run1', 'log2')) ?? [])];
    expect(new Set([...(first ?? []), ...others]).size).toBe(12);
  });

  it('are not known where Redis does not say which run it is', async () => {
    expect(await keysAt('', 'log1')).toBeUndefined();
  });
});
