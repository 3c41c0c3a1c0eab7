import type pg from 'pg';
import { within } from '../../shared/deadline.js';
import { inBackground } from '../process/faults.js';
import { EndingClient } from './ending-client.js';
import type { NamedStatement } from './transaction-context.js';

/** A statement is given up by the server after this time; it may be asked again elsewhere, where it has more. */
const STATEMENT_TIMEOUT_MS = 1_000;
/** How often it is looked whether the oldest statement is still unanswered. Counted, so that a process that stood still sees none. */
const LOOK_EVERY_MS = 100;
/** Looks that find the same one: then those behind it are asked elsewhere. */
const LOOKS_AT_SLOW = 2;
/** Looks that find the same one, longer than a statement may take: the connection is dead. */
const LOOKS_AT_DEAD = 15;
/** Nothing is put behind a statement that has been waiting for so long. */
const STALLED_AFTER_MS = 50;
/** Statements that one connection may have been sent and not answered. */
const MAX_IN_FLIGHT = 64;

/** What is already prepared differs from what the database has now, or was never prepared: only a new connection mends it. */
const STALE = new Set(['0A000', '26000']);

// SQL: a setting of the session
const READ_ONLY = `SELECT set_config('default_transaction_read_only', $1, false)`;

interface InFlight {
  /** By `performance.now()`. */
  readonly sentAt: number;
  /** Its caller does not wait for this connection any more. */
  readonly passOn: () => void;
}

/**
 * One connection on which statements are sent without waiting for the answers before them. They are answered in order; each is a
 * transaction of its own, may only read, and fails alone.
 */
export class PipelinedClient {
  readonly #client: EndingClient;
  /** Oldest first. */
  readonly #inFlight = new Set<InFlight>();
  #isOpen = false;
  #isEnding = false;
  #isCorked = false;
  #watch: NodeJS.Timeout | undefined;
  #looks = 0;
  #oldest: InFlight | undefined;

  /** @param onEnd called once, when it is of no use any more */
  constructor(options: pg.ClientConfig, onEnd: () => void) {
    this.#client = new EndingClient({ ...options, pipeline: true, statement_timeout: STATEMENT_TIMEOUT_MS });
    // What is in flight fails with it.
    this.#client.on('error', () => undefined);
    this.#client.once('end', () => {
      this.stop();
      clearInterval(this.#watch);
      onEnd();
    });
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Whether a statement sent now would be answered soon, as far as this side can tell. */
  get isFree(): boolean {
    const [oldest] = this.#inFlight;
    const isStalled = oldest !== undefined && performance.now() - oldest.sentAt >= STALLED_AFTER_MS;
    return this.#isOpen && !isStalled && this.#inFlight.size < MAX_IN_FLIGHT;
  }

  /** @param prepare is awaited before anything else is sent. Rejects when the connection is of no use; it has ended then. */
  async open(prepare: (client: pg.ClientBase) => Promise<void>): Promise<void> {
    try {
      await this.#client.connect();
      await prepare(this.#client);
      await within(STATEMENT_TIMEOUT_MS, this.#client.query(READ_ONLY, ['on']));
    } catch (error) {
      this.destroy();
      throw error;
    }
    if (this.#isEnding) {
      return;
    }
    this.#isOpen = true;
    this.#watch = setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS).unref();
  }

  /** Rejects when the statement fails, or is behind one that is slow: it may be asked elsewhere then. */
  async read<Row extends pg.QueryResultRow>(statement: NamedStatement): Promise<Row[]> {
    const passedOn = Promise.withResolvers<never>();
    const entry: InFlight = {
      sentAt: performance.now(),
      passOn: () => {
        passedOn.reject(new Error('The statement before it is slow.'));
      },
    };
    this.#inFlight.add(entry);
    this.corkForOneTurn();
    return Promise.race([this.answerOf<Row>(statement, entry), passedOn.promise]);
  }

  /** What is in flight is still answered, for as long as a goodbye may take. */
  async end(): Promise<void> {
    this.stop();
    await this.#client.end().catch(() => undefined);
  }

  private look(): void {
    const [oldest, ...behind] = this.#inFlight;
    this.#looks = oldest !== undefined && oldest === this.#oldest ? this.#looks + 1 : 0;
    this.#oldest = oldest;
    if (this.#looks >= LOOKS_AT_DEAD) {
      this.destroy();
    } else if (this.#looks >= LOOKS_AT_SLOW) {
      behind.forEach(({ passOn }) => {
        passOn();
      });
    }
  }

  private async answerOf<Row extends pg.QueryResultRow>(statement: NamedStatement, entry: InFlight): Promise<Row[]> {
    try {
      return (await this.#client.query<Row>(statement)).rows;
    } catch (error) {
      if (STALE.has(String((error as { code?: unknown }).code))) {
        inBackground(() => this.end());
      }
      throw error;
    } finally {
      this.#inFlight.delete(entry);
    }
  }

  private stop(): void {
    this.#isOpen = false;
    this.#isEnding = true;
  }

  private destroy(): void {
    this.stop();
    this.#client.connection.stream.destroy();
  }

  /** One packet for the statements of all requests that are served in this turn of the event loop. */
  private corkForOneTurn(): void {
    if (this.#isCorked) {
      return;
    }
    const { stream } = this.#client.connection;
    this.#isCorked = true;
    stream.cork();
    setImmediate(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }
}
