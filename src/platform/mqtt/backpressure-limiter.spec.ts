import { describe, expect, it } from '@jest/globals';
import { BackpressureLimiter } from './backpressure-limiter.js';

/** A piece of work that ends when told to. */
function work(): { run: () => Promise<void>; end: () => void; readonly started: boolean } {
  let end = (): void => undefined;
  let started = false;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    run: () => {
      started = true;
      return ended;
    },
    end: () => {
      end();
    },
    get started() {
      return started;
    },
  };
}

describe('Intake', () => {
  it('starts work at once, and makes its caller wait when it is full', async () => {
    const intake = new BackpressureLimiter(2);
    const [first, second, third] = [work(), work(), work()];
    await intake.take(first.run);
    let room = false;
    const waiting = intake.take(second.run).then(() => {
      room = true;
    });
    expect(second.started).toBe(true);
    await Promise.resolve();
    expect(room).toBe(false);
    first.end();
    await waiting;
    expect(room).toBe(true);
    void intake.take(third.run);
    second.end();
    third.end();
    await intake.drained();
  });

  it('is drained when everything in hand is done', async () => {
    const intake = new BackpressureLimiter(10);
    const one = work();
    await intake.take(one.run);
    let drained = false;
    const draining = intake.drained().then(() => {
      drained = true;
    });
    await Promise.resolve();
    expect(drained).toBe(false);
    one.end();
    await draining;
  });
});
