import { LRUCache } from 'lru-cache';
import type { RateLimitPolicy } from '../../config/rate-limit.js';
import { type RateLimitDecision, SlidingWindow } from './sliding-window.js';

/** The windows of many callers. The least recently seen caller is dropped first. */
export class SlidingWindowStore {
  readonly #windows: LRUCache<string, SlidingWindow>;

  constructor(
    private readonly policy: Pick<RateLimitPolicy, 'limit' | 'windowMs'>,
    capacity: number,
  ) {
    this.#windows = new LRUCache({ max: capacity });
  }

  spend(key: string, nowMs: number): RateLimitDecision {
    const window = this.#windows.get(key) ?? new SlidingWindow(this.policy);
    this.#windows.set(key, window);
    return window.spend(nowMs);
  }

  /** Until a request would be admitted; 0 when one is now. It counts none. */
  waitMs(key: string, nowMs: number): number {
    return this.#windows.get(key)?.waitMs(nowMs) ?? 0;
  }
}
