import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BackgroundLoop, type StepOutcome } from './background-loop.js';

describe('a background loop', () => {
  let steps: number;
  let outcome: () => StepOutcome;
  let errors: unknown[];
  let loop: BackgroundLoop;

  beforeEach(() => {
    jest.useFakeTimers();
    steps = 0;
    errors = [];
    outcome = () => 'idle';
    loop = new BackgroundLoop(
      () => {
        steps++;
        return new Promise((resolve) => {
          resolve(outcome());
        });
      },
      { idleMs: 1_000, retryMs: 1_000, onError: (error) => errors.push(error) },
    );
  });

  afterEach(async () => {
    await loop.stop();
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('goes on at once while there is more', async () => {
    outcome = () => (steps < 50 ? 'more' : 'idle');
    loop.start();
    await pass(0);
    expect(steps).toBe(50);
  });

  it('looks less and less often while there is nothing, and never less than it promised', async () => {
    loop.start();
    await pass(100);
    const soon = steps;
    expect(soon).toBeGreaterThanOrEqual(4);
    await pass(10_000);
    const settled = steps;
    await pass(10_000);
    expect(steps - settled).toBe(10);
  });

  it('looks at once when it is woken, and again shortly after', async () => {
    loop.start();
    await pass(10_000);
    const before = steps;
    loop.wake();
    await pass(0);
    expect(steps - before).toBe(1);
    await pass(20);
    expect(steps - before).toBeGreaterThan(2);
  });

  it('does not forget that it was woken during a step', async () => {
    outcome = () => {
      if (steps === 1) {
        loop.wake();
      }
      return 'idle';
    };
    loop.start();
    await pass(0);
    expect(steps).toBe(2);
  });

  it('reports an error and goes on with growing pauses, which no wake cuts short', async () => {
    outcome = () => {
      throw new Error('again');
    };
    loop.start();
    await pass(0);
    loop.wake();
    await pass(99);
    expect(errors).toHaveLength(1);
    await pass(1);
    expect(errors).toHaveLength(2);
    await pass(10_000);
    const settled = errors.length;
    await pass(10_000);
    expect(errors.length - settled).toBe(10);
  });

  it('stops during a pause at once', async () => {
    loop.start();
    await pass(10_000);
    const before = steps;
    await loop.stop();
    await pass(10_000);
    expect(steps).toBe(before);
  });

  it('does not wait for a step that never ends', async () => {
    const stuck = new BackgroundLoop(() => new Promise(() => undefined), {
      idleMs: 1,
      retryMs: 1,
      onError: () => undefined,
    });
    stuck.start();
    let stopped = false;
    void stuck.stop().then(() => (stopped = true));
    await pass(1_499);
    expect(stopped).toBe(false);
    await pass(1);
    expect(stopped).toBe(true);
  });
});
