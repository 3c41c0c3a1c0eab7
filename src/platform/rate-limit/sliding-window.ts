import type { RateLimitPolicy } from '../../config/rate-limit.js';

/** A window is counted in so many parts: precise enough, and no longer with the number of requests. */
export const PARTS = 20;

/** The decision on one request. */
export interface RateLimitDecision {
  readonly admitted: boolean;
  readonly remaining: number;
  /** Until some of the limit is available again. */
  readonly resetMs: number;
}

/**
 * Counts the requests of one caller. A part is forgotten only when all of it has left the window, so that no window of
 * the given length, wherever it begins, ever holds more than the limit.
 */
export class SlidingWindow {
  /** Requests by part, in the order of time. */
  readonly #parts = new Map<number, number>();

  constructor(private readonly policy: Pick<RateLimitPolicy, 'limit' | 'windowMs'>) {}

  spend(nowMs: number): RateLimitDecision {
    const width = this.policy.windowMs / PARTS;
    const current = Math.floor(nowMs / width);
    let used = 0;
    for (const [part, count] of this.#parts) {
      if (part < current - PARTS) {
        this.#parts.delete(part);
      } else {
        used += count;
      }
    }
    const admitted = used < this.policy.limit;
    if (admitted) {
      this.#parts.set(current, (this.#parts.get(current) ?? 0) + 1);
      used += 1;
    }
    const [oldest = current] = this.#parts.keys();
    return { admitted, remaining: this.policy.limit - used, resetMs: (oldest + PARTS + 1) * width - nowMs };
  }
}
