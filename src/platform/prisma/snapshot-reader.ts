import type { Readable } from 'node:stream';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { Semaphore } from '../process/semaphore.js';
import { ConnectionPool } from './connection-pool.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { askFirst, limitSession } from './session-limits.js';
import { utcConnection } from './utc-connection.js';

/** What reads much at once leaves the rest of the server its connections. */
const MAX_CONNECTIONS = 2;
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than the two that may be ahead are likely to take; who waits in vain tries again later. */
const TURNS = { concurrent: MAX_CONNECTIONS, waiting: 64, perHolder: 66, patienceMs: 30_000 };
/** A server that does not answer a short question for so long is out of reach. */
const SILENCE_LIMIT_MS = 60_000;
/** In the middle of a copy it may search for long for the next row; before the first one it may have to sort, too. */
const COPY_SILENCE_LIMIT_MS = 5 * 60_000;
/**
 * A reader that takes nothing waits for its disk, half a minute for each operation; its connection is whole. What ends a transaction
 * does not end a server that waits to be read, so there is a limit: of a process that was stopped.
 */
const UNTAKEN_FOR_MS = 2 * 60_000;
const IDLE_TIMEOUT_MS = 10_000;

/** The database as it was at one moment. */
export interface Snapshot {
  /** When that was, by the clock of the database. */
  readonly at: Date;
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * What `COPY (<query>) TO STDOUT` sends, as it comes. It takes no parameters: see {@link sqlText}.
   * @param options such as `FORMAT csv`
   */
  copy(query: string, options: string): AsyncGenerator<Buffer>;
}

/** How to read: for whom (holders take turns), the zone in which PostgreSQL writes times, and how long the snapshot may be held, in milliseconds. */
export interface SnapshotOptions {
  readonly holder: string;
  readonly timeZone: string;
  readonly timeoutMs: number;
}

/** A text as SQL, for a statement that takes no parameters. */
export function sqlText(value: string): string {
  return pg.escapeLiteral(value);
}

/**
 * Reads a great deal from one snapshot. It has connections of its own: those of `Database` send statements without waiting for
 * answers, which COPY does not allow, and end what takes longer than eight seconds. They are opened when they are needed.
 */
@Injectable()
export class SnapshotReader implements OnApplicationShutdown {
  readonly #pool: ConnectionPool;
  readonly #turns = new Semaphore(TURNS);

  constructor(config: AppConfig, identity: DatabaseIdentityStore) {
    this.#pool = new ConnectionPool({
      connectionString: utcConnection(config.database.url),
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      application_name: `mortise:snapshots:${config.roles.join('+')}`,
      onConnect: (client): unknown => askFirst(client, CONNECT_TIMEOUT_MS, () => identity.verify(client)),
    });
  }

  /**
   * Runs `read` in a transaction that sees one moment and changes nothing.
   * @throws BusyError when its turn did not come; DeadlineExceededError of a silent server; DatabaseError; an Error when no connection can be made
   */
  run<T>(options: SnapshotOptions, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#turns.run(options.holder, () => this.read(options, read));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pool.end();
  }

  private async read<T>(
    { timeZone, timeoutMs }: SnapshotOptions,
    read: (snapshot: Snapshot) => Promise<T>,
  ): Promise<T> {
    const client = await this.#pool.connect();
    let isWhole = false;
    try {
      limitSession(client, { transactionTimeoutMs: timeoutMs, untakenForMs: UNTAKEN_FOR_MS });
      await ask(client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'));
      const { rows } = await ask(
        client.query<{ at: Date }>({
          text: `SELECT now() AS at, set_config('timezone', $1, true), set_config('statement_timeout', $2, true)`,
          values: [timeZone, String(timeoutMs)],
        }),
      );
      const result = await read({
        at: rows[0]?.at ?? new Date(0),
        query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
          (await ask(client.query<Row>(text, [...values]))).rows,
        copy: (query, options) => chunksOf(client.query(copyTo(`COPY (${query}) TO STDOUT (${options})`)), timeoutMs),
      });
      await ask(client.query('COMMIT'));
      isWhole = true;
      return result;
    } finally {
      // One that was left in the middle of a copy sends the rest of it: only a new one is good for the next reader.
      client.release(!isWhole);
    }
  }
}

function ask<T>(answer: Promise<T>): Promise<T> {
  return within(SILENCE_LIMIT_MS, answer);
}

function chunksOf(copy: Readable, firstWithinMs: number): AsyncGenerator<Buffer> {
  // Who stops reading in the middle closes the connection, of which the copy hears when no one listens any more.
  copy.on('error', () => undefined);
  return chunks(copy, firstWithinMs);
}

async function* chunks(copy: Readable, firstWithinMs: number): AsyncGenerator<Buffer> {
  const reader = copy[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let limitMs = firstWithinMs;
  try {
    for (;;) {
      const chunk = await within(limitMs, reader.next());
      limitMs = COPY_SILENCE_LIMIT_MS;
      if (chunk.done) {
        return;
      }
      yield chunk.value;
    }
  } finally {
    copy.destroy();
  }
}
