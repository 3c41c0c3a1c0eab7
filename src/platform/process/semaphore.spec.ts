import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BusyError, Semaphore } from './semaphore.js';

interface Job {
  readonly done: Promise<string>;
  finish(): void;
  fail(): void;
}

describe('a semaphore for one at a time, with two waiting for at most a second, and three places for a holder', () => {
  let semaphore: Semaphore;
  let started: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    semaphore = new Semaphore({ concurrent: 1, waiting: 2, perHolder: 3, patienceMs: 1_000 });
    started = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function begin(name: string, holder = 'one'): Job {
    const work = Promise.withResolvers<string>();
    const done = semaphore.run(holder, () => {
      started.push(name);
      return work.promise;
    });
    return {
      done,
      finish: () => {
        work.resolve(name);
      },
      fail: () => {
        work.reject(new Error(name));
      },
    };
  }

  it('starts them one after the other, in the order they came', async () => {
    const [first, second, third] = [begin('first'), begin('second'), begin('third')];
    await jest.advanceTimersByTimeAsync(0);
    expect(started).toEqual(['first']);
    first.finish();
    await expect(first.done).resolves.toBe('first');
    await jest.advanceTimersByTimeAsync(0);
    expect(started).toEqual(['first', 'second']);
    second.finish();
    third.finish();
    await expect(third.done).resolves.toBe('third');
  });

  it('refuses at once whom it cannot let wait, and says when to come back', async () => {
    begin('running', 'a');
    begin('waiting', 'b');
    begin('waiting too', 'c');
    const refused = begin('one too many', 'another').done;
    await expect(refused).rejects.toThrow(BusyError);
    await expect(refused).rejects.toMatchObject({ code: 'busy', kind: 'unavailable', details: { retryAfter: 1 } });
  });

  it('refuses who waited too long, and leaves the place to the next', async () => {
    const running = begin('running');
    const impatient = expect(begin('impatient').done).rejects.toThrow(BusyError);
    await jest.advanceTimersByTimeAsync(999);
    const patient = begin('patient');
    await jest.advanceTimersByTimeAsync(1);
    await impatient;
    running.finish();
    patient.finish();
    await expect(patient.done).resolves.toBe('patient');
    expect(started).toEqual(['running', 'patient']);
  });

  it('lets the next one in after a failure', async () => {
    const failing = begin('failing');
    const next = begin('next');
    failing.fail();
    await expect(failing.done).rejects.toThrow('failing');
    next.finish();
    await expect(next.done).resolves.toBe('next');
  });

  it('gives one holder no more than its share of places, and every place back', async () => {
    const jobs = ['running', 'waiting', 'waiting too'].map((name) => begin(name));
    await expect(begin('one too many').done).rejects.toThrow(BusyError);
    for (const job of jobs) {
      job.finish();
      await job.done;
    }
    const again = ['again', 'and again', 'a third time'].map((name) => begin(name));
    again.forEach((job) => {
      job.finish();
    });
    await expect(Promise.all(again.map(({ done }) => done))).resolves.toHaveLength(3);
    expect(semaphore.waiting).toBe(0);
  });

  it('makes no room for a holder that would wait for as much as the one who waits for most', async () => {
    begin('running', 'a');
    begin('waiting', 'a');
    begin('waiting too', 'b');
    await expect(begin('one too many', 'b').done).rejects.toThrow(BusyError);
    expect(semaphore.waiting).toBe(2);
  });

  it('lets the newest of the one who waits for most make room for another holder, who is next', async () => {
    const running = begin('running', 'greedy');
    const [first, second] = [begin('first', 'greedy'), begin('second', 'greedy')];
    const refused = expect(second.done).rejects.toThrow(BusyError);
    const stranger = begin('stranger', 'stranger');
    await refused;
    running.finish();
    await jest.advanceTimersByTimeAsync(0);
    first.finish();
    stranger.finish();
    await expect(stranger.done).resolves.toBe('stranger');
    expect(started).toEqual(['running', 'first', 'stranger']);
  });
});

it('lets holders take turns, however much each has asked for', async () => {
  const semaphore = new Semaphore({ concurrent: 1, waiting: 64, perHolder: 16, patienceMs: 1_000 });
  const started: string[] = [];
  const ask = (holder: string): Promise<void> =>
    semaphore.run(holder, () => {
      started.push(holder);
      return Promise.resolve();
    });
  const greedy = ['a', 'b', 'c', 'd'].flatMap((holder) => Array.from({ length: 16 }, () => ask(holder)));
  await Promise.all([...greedy, ask('stranger')]);
  expect(started).toHaveLength(65);
  expect(started.indexOf('stranger')).toBeLessThanOrEqual(5);
});
