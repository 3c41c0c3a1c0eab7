import type { Socket } from 'node:net';
import { PacketSizeLimiter } from '../packet-size-limiter.js';

/** Packets handed over at once: a device is never further beyond its limit than by these. */
const PACKETS_AT_ONCE = 8;

/** What decides over the bytes of a connection. */
export interface ReadRules {
  readonly maxPacketBytes: number;
  /** Called for what was read. @returns the milliseconds for which nothing more should be read. */
  readonly pace: (packets: number, bytes: number) => number;
  /** Called when a packet is too long; then the connection ends. */
  readonly onOversized: () => void;
}

/**
 * Reads from a connection packet by packet, and no faster than its client may send. What is not read fills the sockets
 * and makes the client wait: nothing is lost. Every byte passes it before the parser, which would collect a packet of
 * any length.
 */
export class ReadRateLimiter {
  readonly #frames: PacketSizeLimiter;
  readonly #read: (size?: number) => Buffer | null;
  /** Read from the socket, and not handed over yet. */
  #held: Buffer | null = null;
  #pause: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly rules: ReadRules,
  ) {
    this.#frames = new PacketSizeLimiter(rules.maxPacketBytes);
    this.#read = socket.read.bind(socket) as (size?: number) => Buffer | null;
    socket.read = (size?: number): unknown => this.next(size);
    socket.once('close', () => {
      clearTimeout(this.#pause);
    });
  }

  private next(size?: number): Buffer | null {
    // Node's own way to make a stream fetch more; it takes no bytes.
    if (size === 0) {
      return this.#read(0);
    }
    if (this.#pause) {
      return null;
    }
    const chunk = this.#held ?? this.#read(size);
    this.#held = null;
    if (chunk === null) {
      return null;
    }
    const { packets, bytes, allowed } = this.#frames.accept(chunk, PACKETS_AT_ONCE);
    if (!allowed) {
      this.rules.onOversized();
      this.socket.destroy();
      return null;
    }
    this.#held = bytes < chunk.length ? chunk.subarray(bytes) : null;
    const pauseMs = this.rules.pace(packets, bytes);
    if (pauseMs > 0) {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.readOn();
      }, pauseMs);
    } else if (packets === 0) {
      // The reader asks for more when a packet is done. Of this one only a part is there, and the rest may have arrived
      // while what was held was handed over: that is not announced again.
      setImmediate(() => {
        this.readOn();
      });
    }
    return chunk.subarray(0, bytes);
  }

  private readOn(): void {
    if (!this.socket.destroyed) {
      this.socket.emit('readable');
    }
  }
}
