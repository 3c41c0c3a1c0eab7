/** The windows themselves, on a real Redis: exact, shared by all processes, and there without it. */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
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

/** A request that was admitted at some moment between these two. */
interface Admission {
  readonly askedAt: number;
  readonly answeredAt: number;
}

async function admission(node: TestApp, category: RateCategory, key: string): Promise<Admission | null> {
  const askedAt = performance.now();
  const { admitted } = await node.get(RateLimiter).spend(category, key);
  return admitted ? { askedAt, answeredAt: performance.now() } : null;
}

/** Asks again and again for some time. */
async function admittedDuring(ms: number, category: 'user' | 'device', key: string): Promise<Admission[]> {
  const admitted: Admission[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const one = await admission(admitted.length % 2 === 0 ? first : second, category, key);
    if (one) {
      admitted.push(one);
    } else {
      // A key that was just refused is refused at once: without a turn of the event loop, timers would run late for it.
      await nextTurn();
    }
  }
  return admitted;
}

/** Of which it is certain that they were admitted within one window. */
function mostInOneWindow(all: readonly Admission[]): number {
  return Math.max(
    ...all.map(({ askedAt: from }) => {
      const within = all.filter(({ askedAt, answeredAt }) => askedAt >= from && answeredAt < from + WINDOW_MS);
      return within.length;
    }),
  );
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
    const [burst, later] = await answeredByRedis('device', async () => {
      const key = randomUUID();
      const asked = Array.from({ length: 10 + 5 }, () => admission(first, 'device', key));
      return [await Promise.all(asked), await admittedDuring(seconds * WINDOW_MS, 'device', key)] as const;
    });
    const admitted = [...burst, ...later].filter((one) => one !== null);
    expect(burst).not.toContain(null);
    expect(mostInOneWindow(admitted)).toBeLessThanOrEqual(10 + 2 * 5);
    expect(admitted.length).toBeLessThanOrEqual(10 * (seconds + 1) + 5);
  });

  it('let a caller in again when the answer said so, and no earlier', async () => {
    const ask = async (key: string): Promise<{ admitted: boolean; earliest: number; latest: number }> => {
      const askedAt = performance.now();
      const { admitted, resetMs } = await first.get(RateLimiter).spend('admin', key);
      return { admitted, earliest: askedAt + resetMs, latest: performance.now() + resetMs };
    };
    const until = (at: number): Promise<unknown> => delay(Math.max(0, at - performance.now()));
    const judge = async (startMs: number): Promise<string> => {
      const key = randomUUID();
      await delay(startMs);
      let refusal = await ask(key);
      while (refusal.admitted) {
        refusal = await ask(key);
      }
      await until(refusal.earliest - 30);
      // It may be under way at the reset itself: to be admitted then is right, and takes the place.
      if ((await ask(key)).admitted) {
        return performance.now() < refusal.earliest - 5 ? 'early' : 'in time';
      }
      await until(refusal.latest + 5);
      return (await ask(key)).admitted ? 'in time' : 'late';
    };
    // All over one part of the window: where it begins in Redis, and where in this process, is up to chance. Few at once, so that
    // none waits for the others.
    const seen = await answeredByRedis('admin', async () => [
      ...(await Promise.all([0, 10, 20, 30, 40].map(judge))),
      ...(await Promise.all([5, 15, 25, 35, 45].map(judge))),
    ]);
    expect(new Set(seen)).toEqual(new Set(['in time']));
  });

  it('do not ask Redis again for a key that was just refused', async () => {
    const key = await answeredByRedis('auth', async () => {
      const spent = randomUUID();
      while ((await first.get(RateLimiter).spend('auth', spent)).admitted) {
        // Until the limit is spent.
      }
      return spent;
    });
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
    const pttl = await answeredByRedis('auth', async () => {
      await second.get(RateLimiter).spend('auth', key);
      return second.get(RedisClients).app.pttl(`mortise:rate:auth:${key}`);
    });
    expect(pttl).toBeGreaterThan(0);
    expect(pttl).toBeLessThanOrEqual(63_000);
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
    const admitted = await answeredByRedis('auth', async () => {
      const key = randomUUID();
      const verdicts: boolean[] = [];
      for (const node of [first, first, first, first, first, second]) {
        verdicts.push((await node.get(RateLimiter).spend('auth', key)).admitted);
      }
      return verdicts;
    });
    expect(admitted).toEqual([true, true, true, true, true, false]);
  });
});
