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
  readonly #width: number;

  constructor(private readonly policy: Pick<RateLimitPolicy, 'limit' | 'windowMs'>) {
    this.#width = policy.windowMs / PARTS;
  }

  spend(nowMs: number): RateLimitDecision {
    let used = this.usedAt(nowMs);
    const admitted = used < this.policy.limit;
    if (admitted) {
      const current = Math.floor(nowMs / this.#width);
      this.#parts.set(current, (this.#parts.get(current) ?? 0) + 1);
      used += 1;
    }
    return { admitted, remaining: this.policy.limit - used, resetMs: this.resetMs(nowMs) };
  }

  /** Until a request would be admitted; 0 when one is now. It counts none. */
  waitMs(nowMs: number): number {
    return this.usedAt(nowMs) < this.policy.limit ? 0 : this.resetMs(nowMs);
  }

  private usedAt(nowMs: number): number {
    const first = Math.floor(nowMs / this.#width) - PARTS;
    let used = 0;
    for (const [part, count] of this.#parts) {
      if (part < first) {
        this.#parts.delete(part);
      } else {
        used += count;
      }
    }
    return used;
  }

  private resetMs(nowMs: number): number {
    const [oldest = 0] = this.#parts.keys();
    return (oldest + PARTS + 1) * this.#width - nowMs;
  }
}
