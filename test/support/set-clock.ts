import { Clock } from '../../src/shared/clock.js';

/** A clock that goes as the test says. */
export class SetClock extends Clock {
  aheadMs = 0;

  now(): number {
    return Date.now() + this.aheadMs;
  }

  monotonic(): number {
    return performance.now() + this.aheadMs;
  }
}
