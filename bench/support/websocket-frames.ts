/** Frames of WebSocket (RFC 6455) as a client needs them to speak to Socket.IO: no extensions, no fragments. */
export const TEXT_FRAME = 0x1;
export const CLOSE_FRAME = 0x8;

const [LENGTH_OF_2_BYTES, LENGTH_OF_8_BYTES] = [126, 127];
const MAX_OF_2_BYTES = 0xffff;
const MASKED = 0x80;
const FINAL = 0x80;
const MASK_BYTES = 4;

/** A frame with a text. A client must mask what it sends; the mask may be zero, and then the bytes stay what they are. */
export function textFrame(text: string, { masked }: { readonly masked: boolean }): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([
    Buffer.from([FINAL | TEXT_FRAME]),
    lengthOf(payload.length, masked ? MASKED : 0),
    Buffer.alloc(masked ? MASK_BYTES : 0),
    payload,
  ]);
}

function lengthOf(length: number, mask: number): Buffer {
  if (length < LENGTH_OF_2_BYTES) {
    return Buffer.from([mask | length]);
  }
  const isShort = length <= MAX_OF_2_BYTES;
  const bytes = Buffer.alloc(isShort ? 3 : 9);
  bytes[0] = mask | (isShort ? LENGTH_OF_2_BYTES : LENGTH_OF_8_BYTES);
  if (isShort) {
    bytes.writeUInt16BE(length, 1);
  } else {
    bytes.writeBigUInt64BE(BigInt(length), 1);
  }
  return bytes;
}

/** Cuts what arrives into frames. A payload is valid until the function that is given it returns. */
export class FrameReader {
  #rest: Buffer | null = null;

  constructor(private readonly onFrame: (opcode: number, payload: Buffer) => void) {}

  read(chunk: Buffer): void {
    let bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = null;
    for (;;) {
      const payload = payloadOf(bytes);
      if (payload === null || payload.end > bytes.length) {
        break;
      }
      this.onFrame((bytes[0] ?? 0) & 0x0f, bytes.subarray(payload.start, payload.end));
      bytes = bytes.subarray(payload.end);
    }
    if (bytes.length > 0) {
      this.#rest = Buffer.from(bytes);
    }
  }
}

/** Where the payload of the first frame is; null when not even its length has arrived. */
function payloadOf(bytes: Buffer): { readonly start: number; readonly end: number } | null {
  if (bytes.length < 2) {
    return null;
  }
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short === LENGTH_OF_8_BYTES ? 10 : short === LENGTH_OF_2_BYTES ? 4 : 2;
  if (bytes.length < start) {
    return null;
  }
  const length =
    short === LENGTH_OF_8_BYTES
      ? Number(bytes.readBigUInt64BE(2))
      : short === LENGTH_OF_2_BYTES
        ? bytes.readUInt16BE(2)
        : short;
  return { start, end: start + length };
}
