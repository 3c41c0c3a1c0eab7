import type { MqttClient } from 'mqtt';

/** Pings without an answer, beyond which the connection is dead anyway. */
const MAX_UNANSWERED = 1_000;
/** Shorter waits are those of a busy process: messages keep the order in which they arrived. */
const NEGLIGIBLE_MS = 5_000;

/**
 * How old a message may be that is read now. A broker answers pings in their turn: what is read after such an answer was
 * written to our socket after the ping was sent. So while this process stands still, or the broker, or while the socket is not
 * read, the age of what is read afterwards is known to have grown.
 */
export class PingClock {
  readonly #sentAt: number[] = [];
  /** What is read now was passed on to us later than this. */
  #currentSince: number;

  /** @param monotonic milliseconds on a clock that never jumps */
  constructor(
    client: Pick<MqttClient, 'on'>,
    private readonly monotonic: () => number,
  ) {
    this.#currentSince = monotonic();
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'connect') {
        this.#sentAt.length = 0;
        this.#currentSince = this.monotonic();
      } else if (cmd === 'pingreq' && this.#sentAt.length < MAX_UNANSWERED) {
        this.#sentAt.push(this.monotonic());
      }
    });
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') {
        this.#currentSince = this.#sentAt.shift() ?? this.#currentSince;
      }
    });
  }

  /** Milliseconds for which what is read now may have waited; 0 for less than five seconds. */
  get waitedMs(): number {
    const ageMs = this.monotonic() - this.#currentSince;
    return ageMs > NEGLIGIBLE_MS ? ageMs : 0;
  }
}
