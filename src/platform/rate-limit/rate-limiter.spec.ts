import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import type { Clock } from '../../shared/clock.js';
import type { Metrics } from '../metrics/metrics.js';
import type { RedisClients } from '../redis/redis-clients.js';
import { LookupRegistry } from './lookup-registry.js';
import { RateLimitRegistry } from './rate-limit-registry.js';
import { RateLimiter } from './rate-limiter.js';

const CATEGORY = 'sample' as RateCategory;
/** Of the window in Redis and of the process's own: parts of 50 ms. */
const LIMIT = '2/1s';
const REFUSED = 3;

let limits: RateLimiter;
let nowMs: number;
/** What Redis answers: how much is used, and when something is available again. */
let answer: [used: number, resetMs: number];
/** What each question to Redis was to cost. */
let asked: number[];
let tookMs: number;
let isAway: boolean;

beforeEach(() => {
  nowMs = 10_020;
  tookMs = 0;
  isAway = false;
  asked = [];
  const registry = new RateLimitRegistry({ rateLimitOverrides: {}, rateLimitScale: 1 } as unknown as AppConfig);
  registry.register({ [CATEGORY]: { description: '', limit: LIMIT, keyOf: () => null } });
  const redis = {
    status: 'ready',
    defineCommand: () => undefined,
    mortiseSpendBuffer: (count: number, ...rest: unknown[]) => {
      // Behind the keys and the number of charges come four values for each, of which its cost is the first.
      const costs = Array.from({ length: count }, (_, index) => Number(rest[count + 1 + 4 * index]));
      asked.push(...costs);
      nowMs += tookMs;
      return isAway ? Promise.reject(new Error('away')) : Promise.resolve([costs.flatMap(() => answer)]);
    },
  };
  const metrics = { counter: () => ({ inc: () => undefined }) };
  const clock = { monotonic: () => nowMs } as unknown as Clock;
  const clients = { app: redis } as unknown as RedisClients;
  limits = new RateLimiter(registry, clients, metrics as unknown as Metrics, clock, new LookupRegistry());
  limits.onModuleInit();
});

async function spendAll(key: string): Promise<void> {
  for (const used of [1, 2]) {
    answer = [used, 1_010];
    expect((await limits.spend(CATEGORY, key)).admitted).toBe(true);
  }
}

describe('RateLimiter', () => {
  it('tells of a refusal by Redis when both windows have room again: their parts begin at other times', async () => {
    await spendAll('a');
    answer = [REFUSED, 1_010];
    // The part of 10,000 leaves the own window at 11,050.
    expect(await limits.spend(CATEGORY, 'a')).toEqual({ admitted: false, remaining: 0, resetMs: 1_030 });
    answer = [REFUSED, 1_040];
    await spendAll('b');
    answer = [REFUSED, 1_040];
    expect(await limits.spend(CATEGORY, 'b')).toEqual({ admitted: false, remaining: 0, resetMs: 1_040 });
  });

  it('takes nothing of the window in Redis for a request that its own window refuses', async () => {
    await spendAll('a');
    nowMs += 1_015;
    answer = [0, 950];
    expect(await limits.spend(CATEGORY, 'a')).toEqual({ admitted: false, remaining: 0, resetMs: 15 });
    nowMs += 15;
    answer = [1, 1_000];
    expect((await limits.spend(CATEGORY, 'a')).admitted).toBe(true);
    expect(asked).toEqual([1, 1, 0, 1]);
  });

  it('tells of a refusal by its own window no earlier than Redis has room', async () => {
    await spendAll('a');
    nowMs += 1_015;
    answer = [REFUSED, 35];
    expect(await limits.spend(CATEGORY, 'a')).toEqual({ admitted: false, remaining: 0, resetMs: 35 });
  });

  it('admits a request whose own window opened while Redis was asked, or did not answer', async () => {
    for (const [key, away, costs] of [
      ['a', false, [1, 1, 0, 1]],
      ['b', true, [1, 1, 0]],
    ] as const) {
      await spendAll(key);
      nowMs += 1_015;
      [tookMs, isAway, answer] = [20, away, [0, 950]];
      expect(await limits.spend(CATEGORY, key)).toMatchObject({ admitted: true, remaining: 1 });
      expect(asked).toEqual(costs);
      [tookMs, asked] = [0, []];
    }
  });

  it('tells of a refusal by its own window at the last moment what the place that it took in Redis costs', async () => {
    answer = [1, 1_010];
    await limits.spend(CATEGORY, 'a');
    nowMs += 20;
    answer = [2, 1_040];
    const both = await Promise.all([limits.spend(CATEGORY, 'a'), limits.spend(CATEGORY, 'a')]);
    expect(both.map(({ admitted }) => admitted)).toEqual([true, false]);
    expect(both[1].resetMs).toBe(1_040);
    await limits.spend(CATEGORY, 'b');
    answer = [1, 1_040];
    const others = await Promise.all([limits.spend(CATEGORY, 'b'), limits.spend(CATEGORY, 'b')]);
    // Redis has room for another one.
    expect(others[1]).toEqual({ admitted: false, remaining: 0, resetMs: 1_010 });
  });

  it('asks about all charges of a request at once, and no further than one that its own window refuses', async () => {
    await spendAll('spent');
    [asked, answer] = [[], [1, 1_010]];
    const charges = ['first', 'spent', 'last'].map((key) => ({ category: CATEGORY, key }));
    const { decisions } = await limits.ask(charges);
    expect(decisions.map(({ admitted }) => admitted)).toEqual([true, false]);
    expect(asked).toEqual([1, 0]);
    asked = [];
    const [, , last] = charges;
    expect((await limits.ask(charges.slice(2))).decisions).toMatchObject([{ admitted: true, remaining: 1 }]);
    expect(limits.isSpent(last ?? { category: CATEGORY, key: '' })).toBe(false);
  });

  it('asks about the rest when the time of one came while Redis was asked', async () => {
    await spendAll('spent');
    nowMs += 1_015;
    [asked, tookMs, answer] = [[], 20, [1, 1_010]];
    const charges = ['first', 'spent', 'last'].map((key) => ({ category: CATEGORY, key }));
    const { decisions } = await limits.ask(charges);
    expect(decisions.map(({ admitted }) => admitted)).toEqual([true, true, true]);
    expect(asked).toEqual([1, 0, 1, 1]);
  });

  it('knows without asking what Redis refused, until something is available again', async () => {
    const charge = { category: CATEGORY, key: 'a' };
    answer = [REFUSED, 500];
    expect((await limits.spend(CATEGORY, 'a')).admitted).toBe(false);
    expect(limits.isSpent(charge)).toBe(true);
    nowMs += 499;
    expect(await limits.spend(CATEGORY, 'a')).toEqual({ admitted: false, remaining: 0, resetMs: 1 });
    nowMs += 1;
    expect(limits.isSpent(charge)).toBe(false);
    expect(asked).toEqual([1]);
  });
});
