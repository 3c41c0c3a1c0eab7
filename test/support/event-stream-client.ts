import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { FeedMessage } from '../../src/contracts/realtime.js';
import { eventually } from './wait.js';

/** A block of a stream that had data. */
export interface StreamedMessage {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

export interface StreamOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Reads an event stream as the HTML standard says, and remembers everything, in order. */
export class EventStreamClient {
  readonly received: StreamedMessage[] = [];
  readonly retries: number[] = [];
  comments = 0;
  lastEventId = '';
  /** By `performance.now()`. */
  endedAt: number | undefined;
  #text = '';

  private constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    private readonly answer: IncomingMessage,
  ) {
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      this.take(text);
    });
    for (const event of ['end', 'close', 'error']) {
      answer.on(event, () => {
        this.endedAt ??= performance.now();
      });
    }
  }

  /** @param query with its question mark */
  static open(base: string, query = '', { token, headers = {} }: StreamOptions = {}): Promise<EventStreamClient> {
    return EventStreamClient.at(`${base}/api/v1/events/stream${query}`, {
      ...(token !== undefined && { token }),
      headers,
    });
  }

  static at(url: string, { token, headers = {} }: StreamOptions = {}): Promise<EventStreamClient> {
    return new Promise((resolve, reject) => {
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const asked = request(url, {
        agent: false,
        headers: { accept: 'text/event-stream', ...authorization, ...headers },
      });
      asked.on('error', reject).on('response', (answer) => {
        resolve(new EventStreamClient(answer.statusCode ?? 0, answer.headers, answer));
      });
      asked.end();
    });
  }

  get isEnded(): boolean {
    return this.endedAt !== undefined;
  }

  /** The messages of the feed alone. */
  get feed(): FeedMessage[] {
    return this.received.flatMap(({ data }) =>
      typeof data === 'object' && data !== null && 'version' in data ? [data as FeedMessage] : [],
    );
  }

  of(event: string): unknown[] {
    return this.received.filter((each) => each.event === event).map(({ data }) => data);
  }

  /** Until it has told from where to go on: what happens from here on arrives. */
  async joined(): Promise<this> {
    await eventually('the stream begins', () => this.retries.length > 0);
    return this;
  }

  async ended(limitMs = 40_000): Promise<void> {
    await eventually('the stream ends', () => this.isEnded, limitMs);
  }

  /** The whole answer, where it is none of a stream. */
  async problem(): Promise<{ code?: string }> {
    await this.ended();
    return JSON.parse(this.#text) as { code?: string };
  }

  pause(): void {
    this.answer.pause();
  }

  resume(): void {
    this.answer.resume();
  }

  close(): void {
    this.answer.destroy();
  }

  private take(text: string): void {
    this.#text += text;
    if (this.status !== 200) {
      return;
    }
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() ?? '';
    blocks.forEach((block) => {
      this.takeBlock(block);
    });
  }

  private takeBlock(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) {
        this.comments += 1;
      } else {
        fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
      }
    }
    this.lastEventId = fields.get('id') ?? this.lastEventId;
    if (fields.has('retry')) {
      this.retries.push(Number(fields.get('retry')));
    }
    const data = fields.get('data');
    if (data !== undefined) {
      const event = fields.get('event') ?? 'message';
      this.received.push({ id: this.lastEventId, event, data: JSON.parse(data) as unknown });
    }
  }
}
