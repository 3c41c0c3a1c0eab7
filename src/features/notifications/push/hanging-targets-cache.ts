import { LRUCache } from 'lru-cache';

const PAUSE_MS = 60_000;
const REMEMBERED = 10_000;

/** Whose target it is, and whether it ever took a push. */
interface PausedTarget {
  readonly id: string;
  readonly userId: string;
  readonly isProven: boolean;
}

/**
 * Targets whose push service did not answer: they are left alone for a while, or each message to them would hold its place in the
 * lane for ten seconds. So are others of their person that have never taken a push: browsers choose their push service, and a
 * stranger may register many that hang.
 */
export class HangingTargetsCache {
  readonly #hung = new LRUCache<string, true>({ max: REMEMBERED, ttl: PAUSE_MS });

  note({ id, userId }: PausedTarget): void {
    this.#hung.set(id, true).set(userId, true);
  }

  /** For how long it is left alone, in milliseconds; 0: it is not. */
  pauseOf({ id, userId, isProven }: PausedTarget): number {
    return Math.max(this.leftOf(id), isProven ? 0 : this.leftOf(userId));
  }

  private leftOf(key: string): number {
    return this.#hung.has(key) ? Math.max(0, this.#hung.getRemainingTTL(key)) : 0;
  }
}
