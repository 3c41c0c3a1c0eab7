/** Milliseconds since the start, on a monotonic clock. */
export class Uptime {
  readonly #startedAt = process.hrtime.bigint();

  /** `rate` makes it run fast or slow, as a cheap crystal does. */
  constructor(private readonly rate = 1) {}

  now(): number {
    return Math.floor((Number(process.hrtime.bigint() - this.#startedAt) / 1e6) * this.rate);
  }

  /** How long to set a true timer for, to wake up at that uptime. */
  timerUntil(uptimeMs: number): number {
    return Math.max(1, Math.ceil((uptimeMs - this.now()) / this.rate));
  }
}
