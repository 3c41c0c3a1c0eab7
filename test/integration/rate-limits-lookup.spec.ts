/** All charges of a request, and what else it looks up in Redis, are one question. */
import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RateCategory } from '../../src/contracts/rate-limits.js';
import { LookupRegistry } from '../../src/platform/rate-limit/lookup-registry.js';
import { type Charge, RateLimiter } from '../../src/platform/rate-limit/rate-limiter.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { isRedisReady, startRateLimits } from '../support/rate-limits.fixture.js';
import { emptyRedis, openMonitor } from '../support/redis.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** Counts how often it ran, and answers what is kept under a name that it puts together itself. */
const LUA = `
redis.call('INCR', keys[1] .. ':runs')
if args[1] == 'fail' then
  return redis.call('HGET', keys[1], 'no hash')
end
return { now, redis.call('GET', keys[1]), redis.call('GET', keys[1] .. ':' .. args[2]) }`;

@Injectable()
class SampleLookup implements OnModuleInit {
  constructor(private readonly lookups: LookupRegistry) {}

  onModuleInit(): void {
    this.lookups.register({ lua: LUA, questionOf: () => null });
  }
}

let database: TestDatabase;
let proxy: FaultProxy;
let app: TestApp;
/** Counts in the same Redis, so that the first one does not know what is spent. */
let other: TestApp;
let limits: RateLimiter;
/** Of the test: its commands may take longer than those of a request. */
let redis: Redis;

beforeAll(async () => {
  database = await createTestDatabase();
  const redisUrl = await emptyRedis();
  redis = new Redis(redisUrl);
  proxy = await FaultProxy.inFrontOf(redisUrl);
  const env = { RATE_LIMIT_AUTH: '2/1m', RATE_LIMIT_DEVICE: '5/1m' };
  [app, other] = await Promise.all([
    startRateLimits(database.url, proxy.url, env, [SampleLookup]),
    startRateLimits(database.url, redisUrl, env),
  ]);
  limits = app.get(RateLimiter);
});

afterAll(async () => {
  redis.disconnect();
  proxy.up();
  await Promise.all([app.stop(), other.stop()]);
  await proxy.close();
  await database.drop();
});

const charge = (category: RateCategory, key: string): Charge => ({ category, key });
const newKey = (): string => `test:${randomUUID()}`;

/** Of all that may be asked in a minute, with what this asks itself. */
const remaining = async (category: RateCategory, key: string): Promise<number> =>
  (await limits.spend(category, key)).remaining;

/** What `work` saw while Redis answered in time, which it may not do on a busy machine: then it is done again, with other callers. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  const series = ['auth', 'device'].map((category) => `mortise_rate_limit_degraded_total{category="${category}"}`);
  const alone = async (): Promise<number> => {
    const counts = await Promise.all(series.flatMap((one) => [app.metric(one), other.metric(one)]));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return eventually('Redis answered in time', async () => {
    const before = await alone();
    const seen = await work();
    return (await alone()) === before ? { seen } : null;
  }).then(({ seen }) => seen);
}

describe('the charges of a request', () => {
  it('count in their order, and those after a refusal do not', async () => {
    const seen = await answered(async () => {
      const [before, spent, after] = [randomUUID(), randomUUID(), randomUUID()];
      const charges = [charge('device', before), charge('auth', spent), charge('device', after)];
      const admitted = await limits.ask(charges);
      await other.get(RateLimiter).spend('auth', spent);
      // Redis refuses the first of these, and this process knows it of the second one.
      const refused = [await limits.ask(charges), await limits.ask(charges)];
      return {
        decisions: [admitted, ...refused].map(({ decisions }) => decisions.map((one) => one.admitted)),
        left: [await remaining('device', before), await remaining('device', after)],
      };
    });
    expect(seen.decisions).toEqual([
      [true, true, true],
      [true, false],
      [true, false],
    ]);
    // What stands before the limit that refuses counts each time.
    expect(seen.left).toEqual([1, 3]);
  });

  it('are one command', async () => {
    const monitor = await openMonitor(redis);
    const commands: string[][] = [];
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua' && args.some((arg) => arg.startsWith('mortise:rate:'))) {
        commands.push(args);
      }
    });
    const key = randomUUID();
    await limits.ask([charge('user', key), charge('device', key), charge('auth', key)]);
    await eventually('it was seen', () => commands.length > 0);
    monitor.disconnect();
    expect(commands.map(([name]) => name)).toEqual(['evalsha']);
  });
});

describe('a lookup', () => {
  it('is answered with the charges, and without any', async () => {
    const key = newKey();
    await redis.mset(key, 'entry', `${key}:tag`, 'version');
    const question = { keys: [key], args: ['find', 'tag'] };
    const lookups = await answered(async () => {
      const charges = [charge('device', newKey()), charge('user', newKey())];
      const asked = [await limits.ask(charges, question), await limits.ask([], question)];
      // Without a charge, a question that Redis did not answer shows by what is counted after it.
      await remaining('device', newKey());
      return asked.map(({ lookup }) => lookup);
    });
    const answer = { state: 'answered', value: [expect.any(Number), Buffer.from('entry'), Buffer.from('version')] };
    expect(lookups).toEqual([answer, answer]);
  });

  it('is not made for a request that a limit refuses, in Redis or here', async () => {
    const seen = await answered(async () => {
      const key = newKey();
      const question = { keys: [key], args: ['find', 'tag'] };
      const ask = async (): Promise<unknown> => {
        const { lookup } = await limits.ask([charge('device', key), charge('auth', key)], question);
        return lookup?.state;
      };
      const states = [await ask()];
      await other.get(RateLimiter).spend('auth', key);
      states.push(await ask(), await ask());
      return { states, runs: await redis.get(`${key}:runs`) };
    });
    expect(seen).toEqual({ states: ['answered', undefined, undefined], runs: '1' });
  });

  it('that fails leaves the limits as they are', async () => {
    const key = newKey();
    await redis.set(key, 'no hash');
    const { decisions, lookup, left } = await answered(async () => {
      const spent = newKey();
      const answer = await limits.ask([charge('device', spent)], { keys: [key], args: ['fail'] });
      return { ...answer, left: await remaining('device', spent) };
    });
    expect(decisions.map(({ admitted }) => admitted)).toEqual([true]);
    expect(lookup).toMatchObject({ state: 'failed' });
    expect(String(lookup?.state === 'failed' && lookup.reason)).toContain('WRONGTYPE');
    expect(left).toBe(3);
  });

  it('has no answer while Redis is away, and the limits hold', async () => {
    proxy.down();
    try {
      const key = newKey();
      const ask = () => limits.ask([charge('auth', key)], { keys: [key], args: ['find', 'tag'] });
      const asked = [await ask(), await ask(), await ask()];
      expect(asked.map(({ lookup }) => lookup?.state)).toEqual(['unanswered', 'unanswered', undefined]);
      expect(asked.map(({ decisions }) => decisions.at(-1)?.admitted)).toEqual([true, true, false]);
    } finally {
      proxy.up();
      await eventually('Redis is back', () => isRedisReady(app));
    }
  });

  it('is registered once', () => {
    expect(() => {
      app.get(LookupRegistry).register({ lua: '', questionOf: () => null });
    }).toThrow('registered already');
  });
});
