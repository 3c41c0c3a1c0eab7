import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

/** What a client has not read yet, as of a socket: minutes of a busy feed. It comes back with the last id that it has. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** So long a client has to read the rest of a stream that was ended. */
const END_WITHIN_MS = 5_000;

/** The answer to one client that is written piece by piece until one side ends it: an event stream. */
export class EventStream {
  #writtenAt = performance.now();
  #isEnding = false;

  private constructor(
    private readonly raw: ServerResponse,
    private readonly onCut: () => void,
  ) {}

  /**
   * Answers with the headers. From here on the answer has no time limit, and errors can be told in the stream alone.
   * @param onCut is called when the client reads too slowly, and its connection is cut
   */
  static open(reply: FastifyReply, onCut: () => void): EventStream {
    beginAnswer(reply);
    // A proxy in between shall not wait for the first event to pass the headers on.
    reply.raw.flushHeaders();
    return new EventStream(reply.raw, onCut);
  }

  get isClosed(): boolean {
    return this.#isEnding || this.raw.destroyed || this.raw.closed;
  }

  /** For how long nothing was written. */
  get silentMs(): number {
    return performance.now() - this.#writtenAt;
  }

  write(frame: Buffer): void {
    if (this.isClosed) {
      return;
    }
    this.#writtenAt = performance.now();
    this.raw.write(frame);
    if (this.raw.writableLength > MAX_UNREAD_BYTES) {
      this.onCut();
      this.raw.destroy();
    }
  }

  /** Ends it after a last frame. */
  end(frame: Buffer): void {
    if (this.isClosed) {
      return;
    }
    this.#isEnding = true;
    const timer = setTimeout(() => this.raw.destroy(), END_WITHIN_MS);
    this.raw.once('close', () => {
      clearTimeout(timer);
    });
    this.raw.end(frame);
  }

  /** At once, where the client is gone already. */
  onClose(listener: () => void): void {
    if (this.raw.closed) {
      listener();
    } else {
      this.raw.once('close', listener);
    }
  }
}

/** The answer to HEAD: what GET begins with. */
export function answerHead(reply: FastifyReply): void {
  beginAnswer(reply);
  reply.raw.end();
}

/** Past Fastify, which would buffer what it sends, and knows no end of it. */
function beginAnswer(reply: FastifyReply): void {
  void reply
    .status(200)
    .header('Content-Type', 'text/event-stream; charset=utf-8')
    .header('Cache-Control', 'no-store, no-transform')
    .header('X-Accel-Buffering', 'no');
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) {
      reply.raw.setHeader(name, value);
    }
  }
  reply.raw.writeHead(200);
}
