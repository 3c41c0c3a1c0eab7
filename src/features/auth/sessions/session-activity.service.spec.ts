import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { SessionActivityService } from './session-activity.service.js';
import type { SessionsRepository } from './sessions.repository.js';

describe('SessionActivityService', () => {
  const touch = jest.fn<SessionsRepository['touch']>();
  const warn = jest.fn();
  let activity: SessionActivityService;

  beforeEach(() => {
    jest.resetAllMocks();
    jest.useFakeTimers();
    activity = new SessionActivityService(
      { touch } as unknown as SessionsRepository,
      { setContext: () => undefined, warn } as unknown as PinoLogger,
    );
    activity.onApplicationBootstrap();
  });

  afterEach(async () => {
    await activity.beforeApplicationShutdown();
    jest.useRealTimers();
  });

  it('writes once a minute, each session once', async () => {
    ['a', 'b', 'a', 'a'].forEach((id) => {
      activity.seen(id);
    });
    await jest.advanceTimersByTimeAsync(59_999);
    expect(touch).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(touch.mock.calls).toEqual([[['a', 'b']]]);
  });

  it('writes nothing when nothing happened', async () => {
    await jest.advanceTimersByTimeAsync(180_000);
    expect(touch).not.toHaveBeenCalled();
  });

  it('does not wait for the minute when too many are waiting', () => {
    for (let index = 0; index < 10_000; index += 1) {
      activity.seen(String(index));
    }
    expect(touch.mock.calls[0]?.[0]).toHaveLength(10_000);
  });

  it('writes what is left when the process stops, and stops counting', async () => {
    activity.seen('a');
    await activity.beforeApplicationShutdown();
    expect(touch.mock.calls).toEqual([[['a']]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('survives a database that is away', async () => {
    touch.mockRejectedValueOnce(new Error('no database'));
    activity.seen('a');
    await activity.flush();
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
