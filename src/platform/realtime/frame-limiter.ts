/**
 * Frames of one connection, whatever they are: also those that are no messages, or come before the handshake. Far more
 * than the limit of messages lets a client send.
 */
const FRAMES = { perSecond: 100, burst: 2_000 };
/** The messages of a burst, each as large as one may be; in the long run more than the requests of a person can be. */
const BYTES = { perSecond: 1_048_576, burst: 16_777_216 };

/** Two buckets that fill with time. Who empties one is no client of ours, and is cut. */
export class FrameLimiter {
  #frames: number;
  #bytes: number;
  #at: number;

  /** @param scale of all rate limits @param now milliseconds on the monotonic clock */
  constructor(
    private readonly scale: number,
    now: number,
  ) {
    this.#frames = FRAMES.burst * scale;
    this.#bytes = BYTES.burst * scale;
    this.#at = now;
  }

  /** @returns whether the connection may go on */
  take(bytes: number, now: number): boolean {
    const gained = ((now - this.#at) / 1_000) * this.scale;
    this.#at = now;
    this.#frames = Math.min(FRAMES.burst * this.scale, this.#frames + gained * FRAMES.perSecond) - 1;
    this.#bytes = Math.min(BYTES.burst * this.scale, this.#bytes + gained * BYTES.perSecond) - bytes;
    return this.#frames >= 0 && this.#bytes >= 0;
  }
}
