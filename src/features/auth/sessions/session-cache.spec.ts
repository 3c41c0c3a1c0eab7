import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { newContext, requestContext, runInContext } from '../../../platform/context/request-context.js';
import type { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import { SessionCache } from './session-cache.js';
import type { SharedSessionCache } from './shared-session-cache.js';
import type { SessionActivityService } from './session-activity.service.js';
import type { SessionsRepository } from './sessions.repository.js';

class SetClock extends Clock {
  time = 0;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

describe('SessionCache', () => {
  const endOf = jest.fn<SessionsRepository['endOf']>();
  const seen = jest.fn<SessionActivityService['seen']>();
  const unsubscribe = jest.fn();
  const answers = { find: jest.fn<SharedSessionCache['find']>(), setLive: jest.fn<SharedSessionCache['setLive']>() };
  let revoke: (session: { sessionId: string; reason: RevocationReason }) => void;
  let clock: SetClock;
  let cache: SessionCache;

  beforeEach(() => {
    jest.resetAllMocks();
    answers.find.mockResolvedValue(null);
    clock = new SetClock();
    const signals = {
      on: (_name: string, handler: typeof revoke) => {
        revoke = handler;
        return unsubscribe;
      },
    };
    cache = new SessionCache(
      { endOf } as unknown as SessionsRepository,
      answers as unknown as SharedSessionCache,
      { seen } as unknown as SessionActivityService,
      signals as unknown as SignalBus,
      clock,
    );
    cache.onModuleInit();
  });

  it('asks once for any number of requests at the same time, and again after four seconds', async () => {
    endOf.mockResolvedValue(null);
    expect(await Promise.all(Array.from({ length: 100 }, () => cache.endOf('s')))).toEqual(Array(100).fill(null));
    clock.time = 3_999;
    await cache.endOf('s');
    expect(endOf).toHaveBeenCalledTimes(1);
    clock.time = 4_000;
    endOf.mockResolvedValue('revoked');
    await expect(cache.endOf('s')).resolves.toBe('revoked');
    expect(endOf).toHaveBeenCalledTimes(2);
  });

  it('refuses a session from the moment its revocation is signalled, and knows why', async () => {
    endOf.mockResolvedValue(null);
    await expect(cache.endOf('s')).resolves.toBeNull();
    revoke({ sessionId: 's', reason: 'evicted' });
    await expect(cache.endOf('s')).resolves.toBe('evicted');
    await expect(cache.endOf('other')).resolves.toBeNull();
  });

  it('does not use an answer that was under way when the session was revoked', async () => {
    const answer = Promise.withResolvers<null>();
    endOf.mockReturnValue(answer.promise);
    const asked = cache.endOf('s');
    await Promise.resolve();
    revoke({ sessionId: 's', reason: 'revoked' });
    answer.resolve(null);
    await expect(asked).resolves.toBe('revoked');
    await expect(cache.endOf('s')).resolves.toBe('revoked');
  });

  it('waits for the answer to no other caller, and knows of an end that another one was told', async () => {
    const [mine, other] = [Promise.withResolvers<null>(), Promise.withResolvers<RevocationReason>()];
    endOf.mockReturnValueOnce(mine.promise).mockReturnValueOnce(other.promise);
    const [first, second] = [cache.endOf('s', { certain: true }), cache.endOf('s', { certain: true })];
    await Promise.resolve();
    mine.resolve(null);
    await expect(first).resolves.toBeNull();
    other.resolve('evicted');
    await expect(second).resolves.toBe('evicted');

    const late = Promise.withResolvers<null>();
    endOf.mockReturnValueOnce(late.promise).mockReturnValueOnce(new Promise(() => undefined));
    const asked = cache.endOf('other');
    await Promise.resolve();
    revoke({ sessionId: 'other', reason: 'revoked' });
    void cache.endOf('other', { certain: true });
    late.resolve(null);
    await expect(asked).resolves.toBe('revoked');
  });

  it('looks up for all callers, in the time of none of them', async () => {
    const contexts: unknown[] = [];
    endOf.mockImplementation(() => {
      contexts.push(requestContext());
      return Promise.resolve(null);
    });
    await runInContext({ ...newContext('http', 'system'), deadline: 0, priority: 'read' }, () => cache.endOf('s'));
    expect(contexts).toEqual([undefined]);
  });

  it('remembers longer that a session is over: it will not come back', async () => {
    endOf.mockResolvedValue('revoked');
    await cache.endOf('s');
    clock.time = 59_999;
    await expect(cache.endOf('s')).resolves.toBe('revoked');
    expect(endOf).toHaveBeenCalledTimes(1);
  });

  it('fails closed when the database does not answer, and asks it again', async () => {
    endOf.mockRejectedValueOnce(new Error('no database')).mockResolvedValueOnce(null);
    await expect(cache.endOf('s')).rejects.toThrow('no database');
    await expect(cache.endOf('s')).resolves.toBeNull();
  });

  it('notes that a live session was used, and not that a dead one tried', async () => {
    endOf.mockResolvedValueOnce(null).mockResolvedValueOnce('revoked');
    await cache.endOf('live');
    await cache.endOf('dead');
    expect(seen.mock.calls).toEqual([['live']]);
  });

  it('believes what another process was told, for as long as that one may', async () => {
    answers.find.mockResolvedValueOnce({ end: null, forMs: 1_500 });
    endOf.mockResolvedValue('revoked');
    await expect(cache.endOf('s')).resolves.toBeNull();
    clock.time = 1_499;
    await expect(cache.endOf('s')).resolves.toBeNull();
    expect(endOf).not.toHaveBeenCalled();
    clock.time = 1_500;
    await expect(cache.endOf('s')).resolves.toBe('revoked');
  });

  it('tells others of a live session for what is left of its own four seconds, and nothing of a dead one', async () => {
    endOf.mockImplementationOnce(() => {
      clock.time += 300;
      return Promise.resolve(null);
    });
    await cache.endOf('live');
    endOf.mockResolvedValueOnce('revoked');
    await cache.endOf('dead');
    expect(answers.setLive.mock.calls).toEqual([['live', 3_700]]);
  });

  it('asks PostgreSQL alone when it must be certain', async () => {
    endOf.mockResolvedValueOnce(null);
    await expect(cache.endOf('s')).resolves.toBeNull();
    answers.find.mockResolvedValue({ end: null, forMs: 4_000 });
    endOf.mockResolvedValueOnce('revoked');
    await expect(cache.endOf('s', { certain: true })).resolves.toBe('revoked');
    await expect(cache.endOf('s')).resolves.toBe('revoked');
    expect(endOf).toHaveBeenCalledTimes(2);
  });

  it('forgets the oldest when it knows too many', async () => {
    endOf.mockResolvedValue(null);
    for (let index = 0; index <= 20_000; index += 1) {
      await cache.endOf(String(index));
    }
    endOf.mockClear();
    await cache.endOf('20000');
    expect(endOf).not.toHaveBeenCalled();
    await cache.endOf('0');
    expect(endOf).toHaveBeenCalledTimes(1);
  });

  it('listens no longer than it lives', () => {
    cache.onModuleDestroy();
    expect(unsubscribe).toHaveBeenCalledTimes(1);
    new SessionCache({} as never, {} as never, {} as never, {} as never, clock).onModuleDestroy();
  });
});
