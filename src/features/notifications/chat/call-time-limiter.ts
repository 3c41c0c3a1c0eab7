export interface CallTimeLimits {
  /** What may be taken at once. */
  readonly allowanceMs: number;
  /** The part of all time that may be taken for long. */
  readonly share: number;
}

interface Taken {
  readonly ms: number;
  readonly at: number;
}

const PRUNED_FROM = 10_000;

/**
 * Counts the time that calls take by whose they are: quick ones go on and on, and those that do not answer are left alone for a
 * while. Of this process.
 */
export class CallTimeLimiter {
  readonly #taken = new Map<string, Taken>();

  constructor(private readonly limits: CallTimeLimits) {}

  /** How long these calls have to wait, in milliseconds; 0: they need not. */
  waitOf(key: string, nowMs: number): number {
    return Math.max(0, (this.owed(key, nowMs) - this.limits.allowanceMs) / this.limits.share);
  }

  add(key: string, durationMs: number, nowMs: number): void {
    if (this.#taken.size >= PRUNED_FROM) {
      this.prune(nowMs);
    }
    this.#taken.set(key, { ms: this.owed(key, nowMs) + durationMs, at: nowMs });
  }

  /** What was taken, less what time has given back. */
  private owed(key: string, nowMs: number): number {
    const { ms, at } = this.#taken.get(key) ?? { ms: 0, at: nowMs };
    return Math.max(0, ms - (nowMs - at) * this.limits.share);
  }

  private prune(nowMs: number): void {
    for (const key of this.#taken.keys()) {
      if (this.owed(key, nowMs) === 0) {
        this.#taken.delete(key);
      }
    }
  }
}
