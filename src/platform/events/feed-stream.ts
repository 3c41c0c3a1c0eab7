import { Injectable } from '@nestjs/common';
import { connectionAttempt, type Redis, RedisClients } from '../redis/redis-clients.js';
import type { RoutedEntry } from './event-rows.js';
import { EventStore } from './event-store.js';
import { formatPosition, type LogPosition, parsePosition } from './log-position.js';

/** What a node that was away for a moment finds again without asking PostgreSQL. */
const KEPT_ENTRIES = 100_000;
const READ_COUNT = 500;
/** How long silence is believed before PostgreSQL is asked. */
const BLOCK_MS = 1_000;
/** A connection that does not answer in this time is dead, and replaced. */
const ANSWER_WITHIN_MS = 2_500;
/** The stream of a log that a restore has replaced disappears by itself. */
const KEPT_UNUSED_S = 86_400;

/** An entry names the one before it: a reader that has not seen that one knows that something is missing. */
export interface FeedEntry {
  readonly position: LogPosition;
  readonly previous: LogPosition;
  /** Parsed only by readers that have not seen it yet. */
  readonly json: string;
}

type StreamEntry = [id: string, fields: string[]];

/** The log's copy in Redis, one stream per generation. It may vanish, jump back, or hold things twice. */
@Injectable()
export class FeedStream {
  #writer: Redis | undefined;
  #reader: Redis | undefined;
  #lastId: string | undefined;

  constructor(
    private readonly redis: RedisClients,
    private readonly store: EventStore,
  ) {}

  async append(entries: readonly RoutedEntry[], previous: LogPosition): Promise<void> {
    this.#writer ??= this.client('feed-relay');
    await connectionAttempt(this.#writer);
    const key = await this.key();
    const pipeline = this.#writer.pipeline();
    let before = previous;
    for (const { position, event } of entries) {
      const fields = ['p', formatPosition(position), 'b', formatPosition(before), 'e', JSON.stringify(event)];
      pipeline.xadd(key, 'MAXLEN', '~', KEPT_ENTRIES, '*', ...fields);
      before = position;
    }
    pipeline.expire(key, KEPT_UNUSED_S);
    const results = (await pipeline.exec()) ?? [];
    const failure = results.find(([error]) => error !== null)?.[0];
    if (failure) {
      throw replaceIfDead(this.#writer, failure);
    }
  }

  /**
   * The next entries. An empty list, after a second of silence, also says that the reader now stands at the stream's
   * end: the first read does, and so does one that waited behind an id which the stream, since wiped, never reaches.
   * What lies before the end is for the caller to find in PostgreSQL.
   */
  async read(): Promise<FeedEntry[]> {
    this.#reader ??= this.client('feed');
    try {
      await connected(this.#reader);
      const entries = this.#lastId === undefined ? [] : await this.readAfter(this.#reader, this.#lastId);
      this.#lastId = entries.at(-1)?.[0] ?? (await this.newestId(this.#reader));
      return entries.flatMap(([, fields]) => toFeedEntry(fields));
    } catch (error) {
      throw replaceIfDead(this.#reader, error);
    }
  }

  /** Ends a read under way; there will be no other. */
  endRead(): void {
    this.#reader?.disconnect();
  }

  private async readAfter(reader: Redis, id: string): Promise<StreamEntry[]> {
    const key = await this.key();
    const answer = await reader.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', key, id);
    return answer?.[0]?.[1] ?? [];
  }

  private async newestId(reader: Redis): Promise<string> {
    const [newest] = await reader.xrevrange(await this.key(), '+', '-', 'COUNT', 1);
    return newest?.[0] ?? '0-0';
  }

  /** Nothing is queued or sent again on a new connection: the caller has gone on without Redis. */
  private client(purpose: string): Redis {
    return this.redis.dedicated(purpose, {
      maxRetriesPerRequest: 0,
      commandTimeout: ANSWER_WITHIN_MS,
      lazyConnect: true,
    });
  }

  private async key(): Promise<string> {
    return `mortise:feed:${await this.store.generation()}`;
  }
}

/** The first command would fail while its connection is being made. Later ones do: then Redis is away. */
async function connected(client: Redis): Promise<void> {
  if (client.status === 'wait') {
    await client.connect();
  }
}

/** An answer that is overdue would come before the next one's: only a new connection is sure to be in step. */
function replaceIfDead(client: Redis, error: unknown): unknown {
  if (error instanceof Error && error.message === 'Command timed out') {
    client.disconnect(true);
  }
  return error;
}

/** What is not one of ours is passed over: the entry after it will show the gap. */
function toFeedEntry([, at = '', , before = '', , json = '']: readonly string[]): FeedEntry[] {
  const position = parsePosition(at);
  const previous = parsePosition(before);
  return position && previous ? [{ position, previous, json }] : [];
}
