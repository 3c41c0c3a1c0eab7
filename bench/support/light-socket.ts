import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { CLOSE_FRAME, FrameReader, TEXT_FRAME, textFrame } from './websocket-frames.js';

/** Of Engine.IO and Socket.IO, by the first characters of a message. */
const PACKETS = {
  open: '0',
  close: '1',
  ping: '2',
  connected: '40',
  disconnected: '41',
  event: '42',
  refused: '44',
} as const;
const PONG = textFrame('3', { masked: true });
const LEAVE = textFrame('41', { masked: true });
const SWITCHED = 'HTTP/1.1 101';
const END_OF_HEAD = '\r\n\r\n';

export interface LightSocketOptions {
  readonly url: string;
  readonly auth: Readonly<Record<string, unknown>>;
  /** An address of this machine to connect from: one has 28,000 free ports only. */
  readonly localAddress?: string;
  /** The text of an event, `["name",{…}]`, as it came. */
  readonly onEvent: (json: string) => void;
  readonly onEnd?: () => void;
}

/**
 * A client of Socket.IO over WebSocket that costs little enough to have thousands in one process. It speaks what a dashboard needs,
 * and leaves the reading of JSON, and connecting again, to its owner.
 */
export class LightSocket {
  #isHead = true;
  #isEnded = false;
  readonly #socket: Socket;
  readonly #frames = new FrameReader((opcode, payload) => {
    this.take(opcode, payload);
  });
  #settle: ((error: Error | null) => void) | null = null;

  private constructor(private readonly options: LightSocketOptions) {
    const { hostname, port, host } = new URL(options.url);
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    });
    this.#socket.write(headOf(host));
    this.#socket.on('data', (chunk) => {
      this.read(chunk);
    });
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      this.end('the connection ended');
    });
  }

  /** Rejects when the connection fails, or the handshake is refused: then with what was answered. */
  static connect(options: LightSocketOptions): Promise<LightSocket> {
    return new Promise((resolve, reject) => {
      const socket = new LightSocket(options);
      socket.#settle = (error) => {
        if (error) {
          reject(error);
        } else {
          resolve(socket);
        }
      };
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Says that it leaves. */
  leave(): void {
    this.#socket.end(LEAVE);
  }

  /** Without a word, as when a battery is taken out: the server gets a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  private read(chunk: Buffer): void {
    if (!this.#isHead) {
      this.#frames.read(chunk);
      return;
    }
    const end = chunk.indexOf(END_OF_HEAD);
    if (end === -1 || !chunk.subarray(0, SWITCHED.length).equals(Buffer.from(SWITCHED))) {
      this.end(`not upgraded: ${chunk.toString('latin1', 0, 200)}`);
      return;
    }
    this.#isHead = false;
    this.#frames.read(chunk.subarray(end + END_OF_HEAD.length));
  }

  private take(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE_FRAME) {
      this.end('the server closed the connection');
    }
    if (opcode !== TEXT_FRAME) {
      return;
    }
    const text = payload.toString();
    if (text.startsWith(PACKETS.event)) {
      this.options.onEvent(text.slice(PACKETS.event.length));
    } else if (text.startsWith(PACKETS.open)) {
      this.#socket.write(textFrame(PACKETS.connected + JSON.stringify(this.options.auth), { masked: true }));
    } else if (text === PACKETS.ping) {
      this.#socket.write(PONG);
    } else if (text.startsWith(PACKETS.connected)) {
      this.settle(null);
    } else if (text.startsWith(PACKETS.refused)) {
      this.end(text.slice(PACKETS.refused.length));
    } else {
      this.end(`the server sent ${text}`);
    }
  }

  private settle(error: Error | null): void {
    this.#settle?.(error);
    this.#settle = null;
  }

  private end(reason: string): void {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#socket.destroy();
      this.settle(new Error(reason));
      this.options.onEnd?.();
    }
  }
}

function headOf(host: string): string {
  return [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}${END_OF_HEAD}`,
  ].join('\r\n');
}
