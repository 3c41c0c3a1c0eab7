import { request } from 'node:http';
import type { FeedListener } from './dashboard-crowd.js';

/** Until the server has said how long to wait before connecting again. */
const FIRST_RETRY_MS = 1_000;

/** A program that follows the event stream as docs/realtime.md says: it comes back from the last id, after the pause that it was told. */
export class ReconnectingStream implements FeedListener {
  readonly heard: number[] = [];
  readonly refusals: string[] = [];
  connections = 0;
  resyncs = 0;
  isConnected = false;
  #lastEventId = '';
  #retryMs = FIRST_RETRY_MS;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #end: () => void = () => undefined;

  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Settles when it is told from where to go on. */
  static start(base: string, token: string): Promise<ReconnectingStream> {
    const stream = new ReconnectingStream(`${base}/api/v1/events/stream`, token);
    return new Promise((resolve, reject) => {
      stream.connect(() => {
        resolve(stream);
      }, reject);
    });
  }

  drop(): void {
    this.#end();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#end();
  }

  private connect(begun: () => void, failed: (error: Error) => void): void {
    const headers = {
      authorization: `Bearer ${this.token}`,
      accept: 'text/event-stream',
      ...(this.#lastEventId !== '' && { 'last-event-id': this.#lastEventId }),
    };
    const asked = request(this.url, { agent: false, headers });
    let text = '';
    const refuse = (reason: string): void => {
      this.refusals.push(reason);
      failed(new Error(reason));
      this.again();
    };
    asked.once('error', (error) => {
      refuse(String(error));
    });
    asked.once('response', (answer) => {
      if (answer.statusCode !== 200) {
        answer.resume();
        refuse(String(answer.statusCode));
        return;
      }
      this.isConnected = true;
      this.connections += 1;
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        blocks.forEach((block) => {
          this.take(block);
        });
        begun();
      });
      answer
        .on('error', () => undefined)
        .once('close', () => {
          this.isConnected = false;
          this.again();
        });
    });
    this.#end = () => {
      asked.destroy();
    };
    asked.end();
  }

  private take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }),
    );
    this.#lastEventId = fields.get('id') ?? this.#lastEventId;
    this.#retryMs = Number(fields.get('retry') ?? this.#retryMs);
    this.resyncs += fields.get('event') === 'reset' ? 1 : 0;
    const { id } = JSON.parse(fields.get('data') ?? '{}') as { id?: string };
    if (id !== undefined) {
      this.heard.push(Number(id));
    }
  }

  private again(): void {
    if (!this.#isOver) {
      this.#timer = setTimeout(() => {
        this.connect(
          () => undefined,
          () => undefined,
        );
      }, this.#retryMs);
    }
  }
}
