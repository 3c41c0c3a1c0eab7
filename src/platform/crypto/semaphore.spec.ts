import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BusyError, Semaphore } from './semaphore.js';

interface Job {
  readonly done: Promise<string>;
  finish(): void;
  fail(): void;
}

describe('a semaphore for one at a time, with two waiting for at most a second', () => {
  let semaphore: Semaphore;
  let started: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    semaphore = new Semaphore({ concurrent: 1, waiting: 2, patienceMs: 1_000 });
    started = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function begin(name: string): Job {
    const work = Promise.withResolvers<string>();
    const done = semaphore.run(() => {
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
    begin('running');
    begin('waiting');
    begin('waiting too');
    const refused = begin('one too many').done;
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
});
