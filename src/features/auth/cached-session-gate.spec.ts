import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Signals } from '../../platform/redis/signals.js';
import { Clock } from '../../shared/clock.js';
import { CachedSessionGate } from './cached-session-gate.js';
import type { SessionAnswers } from './session-answers.js';
import type { SessionActivity } from './session-activity.js';
import type { SessionsRepository } from './sessions.repository.js';

class SetClock extends Clock {
  time = 0;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

describe('CachedSessionGate', () => {
  const isLive = jest.fn<SessionsRepository['isLive']>();
  const seen = jest.fn<SessionActivity['seen']>();
  const unsubscribe = jest.fn();
  const answers = { find: jest.fn<SessionAnswers['find']>(), keepLive: jest.fn<SessionAnswers['keepLive']>() };
  let revoke: (session: { sessionId: string }) => void;
  let clock: SetClock;
  let gate: CachedSessionGate;

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
    gate = new CachedSessionGate(
      { isLive } as unknown as SessionsRepository,
      answers as unknown as SessionAnswers,
      { seen } as unknown as SessionActivity,
      signals as unknown as Signals,
      clock,
    );
    gate.onModuleInit();
  });

  it('asks once for any number of requests at the same time, and again after four seconds', async () => {
    isLive.mockResolvedValue(true);
    expect(await Promise.all(Array.from({ length: 100 }, () => gate.isLive('s')))).toEqual(Array(100).fill(true));
    clock.time = 3_999;
    await gate.isLive('s');
    expect(isLive).toHaveBeenCalledTimes(1);
    clock.time = 4_000;
    isLive.mockResolvedValue(false);
    await expect(gate.isLive('s')).resolves.toBe(false);
    expect(isLive).toHaveBeenCalledTimes(2);
  });

  it('refuses a session from the moment its revocation is signalled', async () => {
    isLive.mockResolvedValue(true);
    await expect(gate.isLive('s')).resolves.toBe(true);
    revoke({ sessionId: 's' });
    await expect(gate.isLive('s')).resolves.toBe(false);
    await expect(gate.isLive('other')).resolves.toBe(true);
  });

  it('lets nobody in with an answer that was under way when the session was revoked', async () => {
    const answer = Promise.withResolvers<boolean>();
    isLive.mockReturnValue(answer.promise);
    const asked = gate.isLive('s');
    await Promise.resolve();
    revoke({ sessionId: 's' });
    answer.resolve(true);
    await expect(asked).resolves.toBe(false);
    await expect(gate.isLive('s')).resolves.toBe(false);
  });

  it('remembers longer that a session is over: it will not come back', async () => {
    isLive.mockResolvedValue(false);
    await gate.isLive('s');
    clock.time = 59_999;
    await expect(gate.isLive('s')).resolves.toBe(false);
    expect(isLive).toHaveBeenCalledTimes(1);
  });

  it('fails closed when the database does not answer, and asks it again', async () => {
    isLive.mockRejectedValueOnce(new Error('no database')).mockResolvedValueOnce(true);
    await expect(gate.isLive('s')).rejects.toThrow('no database');
    await expect(gate.isLive('s')).resolves.toBe(true);
  });

  it('notes that a live session was used, and not that a dead one tried', async () => {
    isLive.mockResolvedValueOnce(true).mockResolvedValueOnce(false);
    await gate.isLive('live');
    await gate.isLive('dead');
    expect(seen.mock.calls).toEqual([['live']]);
  });

  it('believes what another process was told, for as long as that one may', async () => {
    answers.find.mockResolvedValueOnce({ live: true, forMs: 1_500 });
    isLive.mockResolvedValue(false);
    await expect(gate.isLive('s')).resolves.toBe(true);
    clock.time = 1_499;
    await expect(gate.isLive('s')).resolves.toBe(true);
    expect(isLive).not.toHaveBeenCalled();
    clock.time = 1_500;
    await expect(gate.isLive('s')).resolves.toBe(false);
  });

  it('tells others of a live session for what is left of its own four seconds, and nothing of a dead one', async () => {
    isLive.mockImplementationOnce(() => {
      clock.time += 300;
      return Promise.resolve(true);
    });
    await gate.isLive('live');
    isLive.mockResolvedValueOnce(false);
    await gate.isLive('dead');
    expect(answers.keepLive.mock.calls).toEqual([['live', 3_700]]);
  });

  it('asks PostgreSQL, and nobody else, when it must be certain', async () => {
    isLive.mockResolvedValueOnce(true);
    await expect(gate.isLive('s')).resolves.toBe(true);
    answers.find.mockResolvedValue({ live: true, forMs: 4_000 });
    isLive.mockResolvedValueOnce(false);
    await expect(gate.isLive('s', { certain: true })).resolves.toBe(false);
    await expect(gate.isLive('s')).resolves.toBe(false);
    expect(isLive).toHaveBeenCalledTimes(2);
  });

  it('forgets the oldest when it knows too many', async () => {
    isLive.mockResolvedValue(true);
    for (let index = 0; index <= 20_000; index += 1) {
      await gate.isLive(String(index));
    }
    isLive.mockClear();
    await gate.isLive('20000');
    expect(isLive).not.toHaveBeenCalled();
    await gate.isLive('0');
    expect(isLive).toHaveBeenCalledTimes(1);
  });

  it('listens no longer than it lives', () => {
    gate.onModuleDestroy();
    expect(unsubscribe).toHaveBeenCalledTimes(1);
    new CachedSessionGate({} as never, {} as never, {} as never, {} as never, clock).onModuleDestroy();
  });
});
