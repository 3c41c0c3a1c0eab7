import { connect, type Socket } from 'node:net';

export interface ReceivedAnswer {
  readonly status: number;
  /** In lower case. */
  readonly head: string;
  readonly body: Buffer;
}

type Done = (answer: ReceivedAnswer | Error) => void;

const END_OF_HEAD = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/**
 * One connection that stays open, with one request at a time. `node:http` would take as much of the processor as the
 * servers that are measured, so this reads just what they send: answers with a Content-Length.
 */
export class HttpConnection {
  #socket: Socket | undefined;
  #received = NOTHING;
  #done: Done | undefined;

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** Resolves when the server has answered something on it: the kernel alone says that it is open before the server knows of it. */
  async open(): Promise<void> {
    const answer = await new Promise<ReceivedAnswer | Error>((resolve) => {
      this.send(Buffer.from(`GET / HTTP/1.1\r\nhost: ${this.host}:${String(this.port)}\r\n\r\n`), resolve);
    });
    if (answer instanceof Error) {
      throw answer;
    }
  }

  /** Connects where it has to. `done` is called once. */
  send(request: Buffer, done: Done): void {
    this.#done = done;
    this.#socket ??= this.connect();
    this.#socket.write(request);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  private connect(): Socket {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.read(socket);
    });
    socket.on('error', (error) => {
      this.lose(socket, error);
    });
    socket.on('close', () => {
      this.lose(socket, new Error('closed'));
    });
    return socket;
  }

  private read(socket: Socket): void {
    const end = this.#received.indexOf(END_OF_HEAD);
    if (end < 0) {
      return;
    }
    const head = this.#received.toString('latin1', 0, end).toLowerCase();
    const status = Number(head.slice(9, 12));
    const length = lengthOf(status, head);
    if (length === undefined) {
      socket.destroy(new Error('an answer without Content-Length'));
      return;
    }
    const begin = end + END_OF_HEAD.length;
    if (this.#received.length < begin + length) {
      return;
    }
    const body = this.#received.subarray(begin, begin + length);
    this.#received = NOTHING;
    if (head.includes('\r\nconnection: close')) {
      this.#socket = undefined;
      socket.destroy();
    }
    this.finish({ status, head, body });
  }

  private lose(socket: Socket, error: Error): void {
    if (this.#socket === socket) {
      this.#socket = undefined;
      this.#received = NOTHING;
      this.finish(error);
    }
  }

  private finish(answer: ReceivedAnswer | Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(answer);
  }
}

function lengthOf(status: number, head: string): number | undefined {
  if (status === 204 || status === 304) {
    return 0;
  }
  const [, length] = /\r\ncontent-length: (\d+)/.exec(head) ?? [];
  return length === undefined ? undefined : Number(length);
}
