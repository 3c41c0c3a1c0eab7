import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { SignalBus } from '../../platform/redis/signal-bus.js';
import type { CommandsRepository } from './commands.repository.js';
import type { Command } from './commands.types.js';
import { CompletionWaiters } from './completion-waiters.js';

type Listener = (body: { commandId?: string; deviceId: string }) => void;
type Ended = Awaited<ReturnType<CommandsRepository['listEnded']>>;

const settledAs = (id: string): Command => ({ id, state: 'EXECUTED' }) as Command;

const nothing: Ended = { settled: [], missing: [] };
const allSettled = (ids: readonly string[]): Promise<Ended> =>
  Promise.resolve({ settled: ids.map(settledAs), missing: [] });
const command = (id: string): Pick<Command, 'id' | 'deviceId'> => ({ id, deviceId: 'd' });

function setup(listEnded: (ids: readonly string[]) => Promise<Ended> = () => Promise.resolve(nothing)) {
  const listeners = new Set<Listener>();
  const revoked = new Set<Listener>();
  const warnings: unknown[] = [];
  const queries: (readonly string[])[] = [];
  const signals = {
    on: (name: string, listener: Listener) => {
      const all = name === 'device_revoked' ? revoked : listeners;
      all.add(listener);
      return () => all.delete(listener);
    },
  } as unknown as SignalBus;
  const repository = {
    listEnded: (ids: readonly string[]) => {
      queries.push(ids);
      return listEnded(ids);
    },
  } as unknown as CommandsRepository;
  const logger = {
    setContext: () => undefined,
    warn: (fields: unknown) => warnings.push(fields),
  } as unknown as PinoLogger;
  const waiters = new CompletionWaiters(signals, repository, logger);
  waiters.onModuleInit();
  const signal = (commandId: string): void => {
    listeners.forEach((listener) => {
      listener({ commandId, deviceId: 'd' });
    });
  };
  const revoke = (deviceId: string): void => {
    revoked.forEach((listener) => {
      listener({ deviceId });
    });
  };
  return { waiters, signal, revoke, listeners, queries, warnings };
}

describe('waiting for an outcome', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('ends when the command settles in this process, for every request that waits for it, without a query', async () => {
    const { waiters, signal, queries } = setup();
    const [first, second, other] = [
      waiters.open(command('a'), 5_000),
      waiters.open(command('a'), 5_000),
      waiters.open(command('b'), 5_000),
    ];
    const settled = settledAs('a');
    waiters.settle(settled);
    signal('a');
    await jest.advanceTimersByTimeAsync(1);
    expect(await first?.outcome()).toBe(settled);
    expect(await second?.outcome()).toBe(settled);
    expect([waiters.size, queries]).toEqual([1, []]);
    other?.release();
    await expect(other?.outcome()).resolves.toBeNull();
  });

  it('reads at once what a signal names, those of one moment with one query', async () => {
    const { waiters, signal, queries } = setup(allSettled);
    const both = [waiters.open(command('a'), 5_000), waiters.open(command('b'), 5_000)];
    ['a', 'b', 'without a waiter'].forEach(signal);
    await jest.advanceTimersByTimeAsync(1);
    expect([await both[0]?.outcome(), await both[1]?.outcome()]).toEqual([settledAs('a'), settledAs('b')]);
    expect(queries).toEqual([['a', 'b']]);
  });

  it('goes on waiting when a signal came before the row changed, or the row could not be read', async () => {
    const answers = [() => Promise.resolve(nothing), () => Promise.reject(new Error('database away'))];
    const { waiters, signal, warnings } = setup((ids) => answers.shift()?.() ?? allSettled(ids));
    const waiter = waiters.open(command('a'), 5_000);
    signal('a');
    await jest.advanceTimersByTimeAsync(1);
    signal('a');
    await jest.advanceTimersByTimeAsync(1);
    expect([waiters.size, warnings.length]).toEqual([1, 1]);
    await jest.advanceTimersByTimeAsync(500);
    await expect(waiter?.outcome()).resolves.toEqual(settledAs('a'));
  });

  it('ends when the time is up', async () => {
    const { waiters } = setup();
    const waiter = waiters.open(command('a'), 400);
    jest.advanceTimersByTime(400);
    await expect(waiter?.outcome()).resolves.toBeNull();
    expect(waiters.size).toBe(0);
  });

  it('finds by polling what no signal named, with one query for all', async () => {
    const { waiters, queries } = setup(allSettled);
    const both = [waiters.open(command('a'), 5_000), waiters.open(command('b'), 5_000)];
    await jest.advanceTimersByTimeAsync(500);
    expect([await both[0]?.outcome(), await both[1]?.outcome()]).toEqual([settledAs('a'), settledAs('b')]);
    expect(queries).toEqual([['a', 'b']]);
  });

  it('polls again after a failure, and stops when no request waits', async () => {
    let failed = false;
    const { waiters, queries, warnings } = setup((ids) => {
      const answer = failed ? allSettled(ids) : Promise.reject(new Error('database away'));
      failed = true;
      return answer;
    });
    const waiter = waiters.open(command('a'), 5_000);
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(waiter?.outcome()).resolves.toEqual(settledAs('a'));
    expect([queries.length, warnings.length]).toEqual([2, 1]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(queries).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not query when all waiters have left before the poll', async () => {
    const { waiters, queries } = setup();
    waiters.open(command('a'), 5_000)?.release();
    await jest.advanceTimersByTimeAsync(500);
    expect(queries).toEqual([]);
  });

  it('lets a thousand requests wait, and no more', () => {
    const { waiters } = setup();
    const opened = Array.from({ length: 1_001 }, (_, n) => waiters.open(command(`c${String(n % 7)}`), 5_000));
    expect(opened.filter(Boolean)).toHaveLength(1_000);
    expect(opened.at(-1)).toBeNull();
    opened[0]?.release();
    expect(waiters.open(command('a'), 5_000)).not.toBeNull();
  });

  it('counts a waiter once, however often it is released', () => {
    const { waiters } = setup();
    const waiter = waiters.open(command('a'), 5_000);
    waiters.open(command('a'), 5_000);
    waiter?.release();
    waiter?.release();
    expect(waiters.size).toBe(1);
  });

  it('ends at once when the device is deleted, and by polling when no signal said so', async () => {
    const { waiters, revoke, queries } = setup((ids) => Promise.resolve({ settled: [], missing: [...ids] }));
    const both = [waiters.open(command('a'), 5_000), waiters.open(command('b'), 5_000)];
    const outcomes = Promise.all([both[0]?.outcome(), both[1]?.outcome()]);
    revoke('another');
    await jest.advanceTimersByTimeAsync(1);
    expect(waiters.size).toBe(2);
    revoke('d');
    await jest.advanceTimersByTimeAsync(1);
    expect(await outcomes).toEqual([null, null]);
    expect(queries).toEqual([['a', 'b']]);
    const unnamed = waiters.open(command('c'), 5_000)?.outcome();
    await jest.advanceTimersByTimeAsync(500);
    await expect(unnamed).resolves.toBeNull();
  });

  it('takes a command for deleted only after it was committed', async () => {
    const { waiters, revoke } = setup((ids) => Promise.resolve({ settled: [], missing: [...ids] }));
    const waiter = waiters.open(command('a'), 5_000);
    revoke('d');
    await jest.advanceTimersByTimeAsync(700);
    expect(waiters.size).toBe(1);
    const outcome = waiter?.outcome();
    await jest.advanceTimersByTimeAsync(500);
    await expect(outcome).resolves.toBeNull();
  });

  it('takes a command for no deleted one that was committed while the query ran', async () => {
    const answers: (() => void)[] = [];
    const { waiters } = setup(
      (ids) =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve({ settled: [], missing: [...ids] });
          });
        }),
    );
    const waiter = waiters.open(command('a'), 5_000);
    await jest.advanceTimersByTimeAsync(500);
    void waiter?.outcome();
    answers[0]?.();
    await jest.advanceTimersByTimeAsync(0);
    expect(waiters.size).toBe(1);
  });

  it('ends every wait at shutdown, and leaves no listener and no timer', async () => {
    const { waiters, listeners } = setup();
    const waiter = waiters.open(command('a'), 5_000);
    waiters.onModuleDestroy();
    await expect(waiter?.outcome()).resolves.toBeNull();
    expect([listeners.size, jest.getTimerCount()]).toEqual([0, 0]);
    expect(waiters.open(command('a'), 5_000)).toBeNull();
  });
});
