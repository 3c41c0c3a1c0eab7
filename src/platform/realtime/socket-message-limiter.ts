/** Messages of one socket: more than a person does at a screen, and less than what a loop sends. */
const PER_SECOND = 50;
const BURST = 200;
/** Refused beyond that, a client does not listen, and its connection is cut. */
const MAX_REFUSED = 500;

/** A bucket of messages that fills with time, and is overdrawn by those that are refused. */
export class SocketMessageLimiter {
  readonly perSecond: number;
  readonly burst: number;
  readonly #maxRefused: number;
  #left: number;
  #at: number;

  /** @param scale of all rate limits @param now milliseconds on the monotonic clock */
  constructor(scale: number, now: number) {
    this.perSecond = PER_SECOND * scale;
    this.burst = BURST * scale;
    this.#maxRefused = MAX_REFUSED * scale;
    this.#left = this.burst;
    this.#at = now;
  }

  take(now: number): 'admitted' | 'refused' | 'cut' {
    const gained = ((now - this.#at) / 1_000) * this.perSecond;
    this.#left = Math.min(this.burst, this.#left + gained) - 1;
    this.#at = now;
    if (this.#left >= 0) {
      return 'admitted';
    }
    return this.#left > -this.#maxRefused ? 'refused' : 'cut';
  }

  /** Milliseconds until a message is admitted. */
  get waitMs(): number {
    return Math.max(0, ((1 - this.#left) / this.perSecond) * 1_000);
  }
}
