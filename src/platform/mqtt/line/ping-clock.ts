import type { MqttClient } from 'mqtt';

/** Pings without an answer, beyond which the connection is dead anyway. */
const MAX_UNANSWERED = 1_000;
/** Shorter waits are those of a busy process: messages keep the order in which they arrived. */
const NEGLIGIBLE_MS = 5_000;
/** What every broker has on its way to us before it keeps the rest in its queue: RabbitMQ 10, Mosquitto 20, EMQX 32. */
const SMALLEST_WINDOW = 10;
/** Beyond this it is not the standstill any more that fills the window, but a process that is slower than its devices. */
const CATCHES_UP_WITHIN_MS = 30_000;

interface Ping {
  readonly at: number;
  /** QoS 1 messages that had been read when it was sent. */
  readonly read: number;
}

/**
 * How old a message may be that is read now. A broker answers pings in their turn: what is read after such an answer was
 * written to our socket after the ping was sent. So while this process stands still, or the broker, or while the socket is not
 * read, the age of what is read afterwards is known to have grown.
 *
 * After a standstill there may be more in the queue of the broker, which fits into no window of unacknowledged messages and
 * is written only as they are acknowledged, behind the answers to new pings. That is over when fewer messages than a window
 * came between a ping and its answer: the broker, which had taken the acknowledgements sent before that ping, had room.
 */
export class PingClock {
  readonly #unanswered: Ping[] = [];
  /** What is read now was passed on to us later than this. */
  #currentSince: number;
  #catchesUpSince: number | null = null;
  #read = 0;

  /** @param monotonic milliseconds on a clock that never jumps */
  constructor(
    client: Pick<MqttClient, 'on'>,
    private readonly monotonic: () => number,
  ) {
    this.#currentSince = monotonic();
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'connect') {
        this.#unanswered.length = 0;
        this.#catchesUpSince = null;
        this.#currentSince = this.monotonic();
      } else if (cmd === 'pingreq' && this.#unanswered.length < MAX_UNANSWERED) {
        this.#unanswered.push({ at: this.monotonic(), read: this.#read });
      }
    });
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish' && packet.qos > 0) {
        this.#read += 1;
      } else if (packet.cmd === 'pingresp') {
        this.answered(this.#unanswered.shift());
      }
    });
  }

  /** Milliseconds for which what is read now may have waited; 0 for less than five seconds. */
  get waitedMs(): number {
    const ageMs = this.monotonic() - this.#currentSince;
    return ageMs > NEGLIGIBLE_MS ? ageMs : 0;
  }

  private answered(ping: Ping | undefined): void {
    if (!ping || (this.waitedMs > 0 && this.mayCatchUp(ping))) {
      return;
    }
    this.#catchesUpSince = null;
    this.#currentSince = ping.at;
  }

  /** Whether the broker may have had more in its queue when it answered this ping. */
  private mayCatchUp({ read }: Ping): boolean {
    this.#catchesUpSince ??= this.monotonic();
    return this.#read - read >= SMALLEST_WINDOW && this.monotonic() - this.#catchesUpSince < CATCHES_UP_WITHIN_MS;
  }
}
