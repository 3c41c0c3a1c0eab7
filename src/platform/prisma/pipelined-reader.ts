import type pg from 'pg';
import { inBackground } from '../process/faults.js';
import { PipelinedClient } from './pipelined-client.js';
import type { NamedStatement } from './transaction-context.js';

/** One is in use while the other one is made anew, or waits for a statement that is slow. */
const CLIENTS = 2;
const RETRY_FROM_MS = 100;
const RETRY_UP_TO_MS = 5_000;

/**
 * Answers short reads over a few connections of its own, many at a time on each: that costs about half of what taking a
 * connection from the pool for each of them does. It promises nothing: what it cannot answer is for the pool.
 */
export class PipelinedReader {
  readonly #clients: (PipelinedClient | undefined)[] = Array.from({ length: CLIENTS });
  #onRead: (by: 'pipeline' | 'pool') => void = () => undefined;
  #isStarted = false;
  #isEnding = false;

  /** @param prepare what is asked of a new connection before it is used */
  constructor(
    private readonly options: pg.ClientConfig,
    private readonly prepare: (client: pg.ClientBase) => Promise<void>,
  ) {}

  /** Calls `listener` with each read, and with who answers it. */
  onRead(listener: (by: 'pipeline' | 'pool') => void): void {
    this.#onRead = listener;
  }

  /** Null: it has no connection that would answer soon, or the one it used failed. A read is safe to ask again. */
  async read<Row extends pg.QueryResultRow>(statement: NamedStatement): Promise<Row[] | null> {
    this.start();
    const rows = await this.leastBusy()
      ?.read<Row>(statement)
      .catch(() => null);
    this.#onRead(rows ? 'pipeline' : 'pool');
    return rows ?? null;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#clients.flatMap((client) => (client ? [client.end()] : [])));
  }

  /** With the first read: a process that reads nothing of this kind needs no connections for it. */
  private start(): void {
    if (!this.#isStarted && !this.#isEnding) {
      this.#isStarted = true;
      this.#clients.forEach((_, place) => {
        this.connect(place, RETRY_FROM_MS);
      });
    }
  }

  private leastBusy(): PipelinedClient | undefined {
    let chosen: PipelinedClient | undefined;
    for (const client of this.#clients) {
      if (client?.isFree && (!chosen || client.inFlight < chosen.inFlight)) {
        chosen = client;
      }
    }
    return chosen;
  }

  private connect(place: number, retryMs: number): void {
    let isOpened = false;
    const client = new PipelinedClient(this.options, () => {
      this.#clients[place] = undefined;
      this.retry(place, isOpened ? RETRY_FROM_MS : retryMs);
    });
    this.#clients[place] = client;
    // It belongs to no request, whose time is not for it. One that does not open ends, and is made again.
    inBackground(() =>
      client.open(this.prepare).then(
        () => {
          isOpened = true;
        },
        () => undefined,
      ),
    );
  }

  private retry(place: number, afterMs: number): void {
    if (!this.#isEnding) {
      setTimeout(() => {
        if (!this.#isEnding) {
          this.connect(place, Math.min(2 * afterMs, RETRY_UP_TO_MS));
        }
      }, afterMs).unref();
    }
  }
}
