import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../../config/app-config.js';
import type { RedisClients } from '../../../platform/redis/redis-clients.js';
import { Clock } from '../../../shared/clock.js';
import { SharedSessionCache } from './shared-session-cache.js';

class SetClock extends Clock {
  time = 1_000_000;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

/** As much of Redis as is used, with a clock that the test sets. */
class TinyRedis {
  readonly values = new Map<string, { value: Buffer; until: number }>();
  time = 0;
  asked = 0;
  away = false;

  pttl = (key: string): Promise<number> => this.answer(() => (this.values.get(key)?.until ?? this.time) - this.time);
  getBuffer = (key: string): Promise<Buffer | null> => this.answer(() => this.values.get(key)?.value ?? null);
  set = (key: string, value: Buffer, _px: 'PX', ms: number, nx?: 'NX'): Promise<unknown> =>
    this.answer(() => {
      if (!(nx && this.values.has(key))) {
        this.values.set(key, { value, until: this.time + ms });
      }
    });

  private answer<T>(work: () => T): Promise<T> {
    this.asked += 1;
    return this.away ? Promise.reject(new Error('away')) : Promise.resolve(work());
  }
}

describe('what processes tell each other of sessions', () => {
  let redis: TinyRedis;
  let clock: SetClock;
  let answers: SharedSessionCache;

  const process = (masterKey = Buffer.alloc(32, 1)): SharedSessionCache =>
    new SharedSessionCache(
      { masterKey: () => masterKey } as AppConfig,
      { app: redis } as unknown as RedisClients,
      clock,
    );
  const pass = (ms: number): void => {
    clock.time += ms;
    redis.time += ms;
  };

  beforeEach(() => {
    redis = new TinyRedis();
    clock = new SetClock();
    answers = process();
  });

  it('is that one was live, for what is left of its time', async () => {
    answers.setLive('s', 3_700.9);
    pass(1_000);
    await expect(process().find('s')).resolves.toEqual({ end: null, forMs: 2_700 });
    await expect(answers.find('other')).resolves.toBeNull();
    pass(2_700);
    await expect(answers.find('s')).resolves.toBeNull();
  });

  it('is that one is over and why, and nothing said before or after takes that back', async () => {
    answers.setLive('s', 4_000);
    answers.setEnded('s', 'evicted');
    process().setLive('s', 4_000);
    await expect(answers.find('s')).resolves.toEqual({ end: 'evicted', forMs: 60_000 });
  });

  it('says nothing of a time that is over', async () => {
    answers.setLive('s', 0.5);
    await expect(answers.find('s')).resolves.toBeNull();
    expect(redis.values.size).toBe(0);
  });

  it('cannot be read, and opens for one session and one master key only', async () => {
    answers.setLive('s', 4_000);
    const [entry] = [...redis.values.values()];
    expect(entry?.value.toString()).not.toContain('until');
    await expect(process(Buffer.alloc(32, 2)).find('s')).resolves.toBeNull();
    for (const value of [...redis.values.values()]) {
      redis.values.set('mortise:session-end:t', value);
    }
    await expect(answers.find('t')).resolves.toBeNull();
  });

  it('is worth nothing once it is put back, or comes late', async () => {
    answers.setLive('s', 4_000);
    const [entry] = [...redis.values.values()];
    pass(4_000);
    redis.values.set('mortise:session-end:s', { value: entry?.value ?? Buffer.alloc(0), until: redis.time + 4_000 });
    await expect(answers.find('s')).resolves.toBeNull();
  });

  it('is worth nothing between processes whose clocks differ', async () => {
    answers.setLive('s', 4_000);
    clock.time -= 1_001;
    await expect(answers.find('s')).resolves.toBeNull();
  });

  it('is nothing while Redis is away, which is asked again a second later', async () => {
    redis.away = true;
    await expect(answers.find('s')).resolves.toBeNull();
    const { asked } = redis;
    await answers.find('s');
    answers.setLive('s', 4_000);
    expect(redis.asked).toBe(asked);
    redis.away = false;
    pass(1_000);
    answers.setLive('s', 4_000);
    await expect(answers.find('s')).resolves.toMatchObject({ end: null });
  });

  it('survives that it cannot be told', async () => {
    redis.away = true;
    answers.setLive('s', 4_000);
    answers.setEnded('s', 'evicted');
    await expect(answers.find('s')).resolves.toBeNull();
  });
});
