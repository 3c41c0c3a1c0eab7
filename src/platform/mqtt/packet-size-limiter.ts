const LENGTH_BYTES = 4;
const CONTINUES = 0x80;

/** How much of a chunk was followed: complete packets, and bytes. */
export interface Accepted {
  readonly allowed: boolean;
  readonly packets: number;
  readonly bytes: number;
}

/**
 * Follows the framing of MQTT control packets (fixed header and remaining length, MQTT 3.1.1 section 2.2) and says no
 * to a packet longer than the limit before it is collected: the parser behind would buffer up to 256 MB of it.
 */
export class PacketSizeLimiter {
  /** Bytes of the current packet still to come; -1 while its header is being read. */
  #remaining = -1;
  #headerRead = false;
  #length = 0;
  #lengthBytes = 0;
  #packets = 0;

  constructor(private readonly maxPacketBytes: number) {}

  /**
   * Follows a chunk, up to the end of its `maxPackets`th packet. Its rest is the beginning of the next chunk.
   * @returns not `allowed` once the stream announces a packet that is too long, or has no valid length.
   */
  accept(chunk: Uint8Array, maxPackets = Infinity): Accepted {
    let offset = 0;
    const before = this.#packets;
    while (offset < chunk.length && this.#packets - before < maxPackets) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, chunk.length - offset);
        offset += taken;
        this.#remaining -= taken;
        this.endPacketIfComplete();
      } else if (!this.#headerRead) {
        this.#headerRead = true;
        offset++;
      } else if (!this.readLength(chunk[offset++] ?? 0)) {
        return { allowed: false, bytes: offset, packets: this.#packets - before };
      }
    }
    return { allowed: true, bytes: offset, packets: this.#packets - before };
  }

  private readLength(byte: number): boolean {
    this.#length += (byte & ~CONTINUES) * 128 ** this.#lengthBytes;
    this.#lengthBytes++;
    if ((byte & CONTINUES) !== 0) {
      return this.#lengthBytes < LENGTH_BYTES;
    }
    this.#remaining = this.#length;
    const allowed = this.#length <= this.maxPacketBytes;
    this.endPacketIfComplete();
    return allowed;
  }

  private endPacketIfComplete(): void {
    if (this.#remaining === 0) {
      this.#packets += 1;
      this.#remaining = -1;
      this.#headerRead = false;
      this.#length = 0;
      this.#lengthBytes = 0;
    }
  }
}
