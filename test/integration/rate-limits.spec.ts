/** The windows themselves, on a real Redis: exact, shared by all processes, and there without it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RateCategory } from '../../src/contracts/rate-limits.js';
import { RedisClients } from '../../src/platform/redis/redis-clients.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { RateLimiter } from '../../src/platform/rate-limit/rate-limiter.js';
import { isRedisReady, startRateLimits } from '../support/rate-limits.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { eventually } from '../support/wait.js';

const ENV = {
  RATE_LIMIT_AUTH: '5/1m',
  RATE_LIMIT_USER: '20/1s',
  RATE_LIMIT_DEVICE: '10/1s+5',
  RATE_LIMIT_ADMIN: '3/1s',
};
const WINDOW_MS = 1_000;

let database: TestDatabase;
let proxy: FaultProxy;
let first: TestApp;
let second: TestApp;

beforeAll(async () => {
  database = await createTestDatabase();
  const redisUrl = await emptyRedis();
  proxy = await FaultProxy.inFrontOf(redisUrl);
  [first, second] = await Promise.all([
    startRateLimits(database.url, proxy.url, ENV),
    startRateLimits(database.url, redisUrl, ENV),
  ]);
});

afterAll(async () => {
  await Promise.all([first.stop(), second.stop()]);
  await proxy.close();
  await database.drop();
});

/** Asks again and again for some time; when it was admitted. */
async function admittedDuring(ms: number, category: 'user' | 'device', key: string): Promise<number[]> {
  const admitted: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const asked = performance.now();
    const node = admitted.length % 2 === 0 ? first : second;
    if ((await node.get(RateLimiter).spend(category, key)).admitted) {
      admitted.push(asked);
    }
  }
  return admitted;
}

function mostInOneWindow(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + WINDOW_MS).length));
}

/** Both processes ask Redis. */
async function countedTogether(): Promise<void> {
  await eventually('the first process asks Redis', async () => {
    const key = randomUUID();
    await first.get(RateLimiter).spend('auth', key);
    return (await second.get(RateLimiter).spend('auth', key)).remaining === 3;
  });
}

/** What `work` saw while Redis answered every question in time, which it may not do on a busy machine. */
async function answeredByRedis<T>(category: RateCategory, work: () => Promise<T>): Promise<T> {
  const series = `mortise_rate_limit_degraded_total{category="${category}"}`;
  const alone = async (): Promise<number> => (await first.metric(series)) + (await second.metric(series));
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await countedTogether();
    const before = await alone();
    const seen = await work();
    if ((await alone()) === before) {
      return seen;
    }
  }
  throw new Error('Redis never answered in time.');
}

describe('rate limits in Redis', () => {
  it('admit as many as the limit says to all processes together', async () => {
    const verdicts = await answeredByRedis('auth', () => {
      const key = randomUUID();
      return Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? first : second).get(RateLimiter).spend('auth', key),
        ),
      );
    });
    expect(
      verdicts
        .filter(({ admitted }) => admitted)
        .map(({ remaining }) => remaining)
        .sort(),
    ).toEqual([0, 1, 2, 3, 4]);
    const refused = verdicts.find(({ admitted }) => !admitted);
    expect(refused?.remaining).toBe(0);
    expect(refused?.resetMs).toBeGreaterThan(55_000);
    expect(refused?.resetMs).toBeLessThanOrEqual(63_000);
  });

  it('never admit more in any window, and nearly as many in the long run', async () => {
    const seconds = 3;
    const admitted = await answeredByRedis('user', () => admittedDuring(seconds * WINDOW_MS, 'user', randomUUID()));
    expect(mostInOneWindow(admitted)).toBeLessThanOrEqual(20);
    expect(admitted.length).toBeGreaterThanOrEqual(20 * (seconds - 1));
  });

  it('lend a burst from what comes later', async () => {
    const seconds = 4;
    const admitted = await answeredByRedis('device', () => admittedDuring(seconds * WINDOW_MS, 'device', randomUUID()));
    const start = admitted[0] ?? 0;
    expect(admitted.filter((at) => at < start + 200).length).toBeGreaterThanOrEqual(15);
    expect(mostInOneWindow(admitted)).toBeLessThanOrEqual(10 + 2 * 5);
    expect(admitted.length).toBeLessThanOrEqual(10 * (seconds + 1) + 5);
  });

  it('let a caller in again when the answer said so, and no earlier', async () => {
    const seen = await answeredByRedis('admin', async () => {
      const key = randomUUID();
      const ask = async (): Promise<{ admitted: boolean; resetMs: number; askedAt: number }> => {
        const askedAt = performance.now();
        return { ...(await first.get(RateLimiter).spend('admin', key)), askedAt };
      };
      let refusal = await ask();
      while (refusal.admitted) {
        refusal = await ask();
      }
      const latestReset = performance.now() + refusal.resetMs;
      const earliestReset = refusal.askedAt + refusal.resetMs;
      // A question may be under way at the reset itself: to be admitted then is right, and takes the place.
      for (;;) {
        const { admitted, askedAt } = await ask();
        if (admitted || askedAt > latestReset) {
          return { early: performance.now() < earliestReset - 5, then: admitted };
        }
        await delay(10);
      }
    });
    expect(seen).toEqual({ early: false, then: true });
  });

  it('do not ask Redis again for a key that was just refused', async () => {
    const key = randomUUID();
    while ((await first.get(RateLimiter).spend('auth', key)).admitted) {
      // Until the limit is spent.
    }
    proxy.blackhole();
    try {
      const before = await first.metric('mortise_rate_limit_degraded_total{category="auth"}');
      expect((await first.get(RateLimiter).spend('auth', key)).admitted).toBe(false);
      expect(await first.metric('mortise_rate_limit_degraded_total{category="auth"}')).toBe(before);
    } finally {
      proxy.up();
      await eventually('Redis is back', () => isRedisReady(first));
    }
  });

  it('leave nothing behind in Redis for longer than they need it', async () => {
    const key = randomUUID();
    await second.get(RateLimiter).spend('admin', key);
    const redis = second.get(RedisClients).app;
    expect(await redis.pttl(`mortise:rate:admin:${key}`)).toBeLessThanOrEqual(1_050);
  });
});

describe.each(['down', 'blackhole'] as const)('rate limits while Redis is %s', (fault) => {
  beforeAll(async () => {
    await countedTogether();
    proxy[fault]();
  });

  afterAll(async () => {
    proxy.up();
    await eventually('Redis is back', () => isRedisReady(first));
  });

  it('still hold in each process, and no request waits for Redis', async () => {
    const key = randomUUID();
    const took: number[] = [];
    let admitted = 0;
    for (let time = 0; time < 300; time += 1) {
      const asked = performance.now();
      admitted += (await first.get(RateLimiter).spend('auth', key)).admitted ? 1 : 0;
      took.push(performance.now() - asked);
    }
    expect(admitted).toBe(5);
    took.sort((a, b) => a - b);
    expect(took[Math.floor(took.length * 0.9)]).toBeLessThan(40);
    expect(took[Math.floor(took.length * 0.99)]).toBeLessThan(100);
    // One of them found out: at once when Redis refuses connections, after 50 ms when it swallows what it is asked.
    expect(took.at(-1)).toBeLessThan(250);
    expect(took.at(-1)).toBeGreaterThan(fault === 'blackhole' ? 40 : 0);
    expect(await first.metric('mortise_rate_limit_degraded_total{category="auth"}')).toBeGreaterThanOrEqual(300);
  });
});

describe('rate limits when Redis goes and comes back', () => {
  it('start no window anew', async () => {
    const key = randomUUID();
    const admitted = async (times: number): Promise<boolean[]> => {
      const verdicts: boolean[] = [];
      for (let time = 0; time < times; time += 1) {
        verdicts.push((await first.get(RateLimiter).spend('auth', key)).admitted);
      }
      return verdicts;
    };
    await countedTogether();
    expect(await admitted(3)).toEqual([true, true, true]);
    proxy.down();
    try {
      expect(await admitted(3)).toEqual([true, true, false]);
    } finally {
      proxy.up();
    }
    await countedTogether();
    expect(await admitted(2)).toEqual([false, false]);
  });
});

describe('rate limits when Redis is back', () => {
  it('are counted together again', async () => {
    const key = randomUUID();
    await countedTogether();
    for (let time = 0; time < 5; time += 1) {
      expect((await first.get(RateLimiter).spend('auth', key)).admitted).toBe(true);
    }
    expect((await second.get(RateLimiter).spend('auth', key)).admitted).toBe(false);
  });
});
