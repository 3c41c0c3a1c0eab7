import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { AppConfig } from '../../config/app-config.js';
import { PrismaClient } from '../../generated/prisma/client.js';
import { assertInTime } from '../context/request-deadline.js';
import { ConnectionPool } from './connection-pool.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { connectionKind, ConnectionQuota, isBatch } from './connection-quota.js';
import { JoiningAdapterFactory } from './joining-adapter-factory.js';
import { currentTransaction, type NamedStatement, type PrismaTransaction } from './transaction-context.js';
import { PipelinedReader } from './pipelined-reader.js';
import { askFirst, limitSession, SESSION_KEEP_ALIVE_AFTER_MS } from './session-limits.js';
import { utcConnection } from './utc-connection.js';

/** Below Prisma's own limit for a transaction, so that PostgreSQL is always the one that gives up first. */
const STATEMENT_TIMEOUT_MS = 8_000;
/** A server that does not even say that it gave up is out of reach: the connection is closed. */
const ANSWER_TIMEOUT_MS = 10_000;
/** With what a new connection is asked first. */
const CONNECT_TIMEOUT_MS = 5_000;

export type { PrismaTransaction } from './transaction-context.js';

/**
 * PostgreSQL for repositories: Prisma for the cold paths, named SQL statements for the hot ones, over one pool. Both
 * join the transaction that surrounds the call, if there is one.
 */
@Injectable()
export class Database implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly pool: ConnectionPool;
  readonly reader: PipelinedReader;
  readonly root: PrismaClient;
  /** Half each for what devices send and people read, a quarter for dispatch, so that what people do finds a connection. */
  readonly #quotas: Readonly<Record<'line' | 'dispatch' | 'reads', ConnectionQuota>>;

  constructor(config: AppConfig, identity: DatabaseIdentityStore) {
    const share = (part: number): ConnectionQuota =>
      new ConnectionQuota(Math.max(1, Math.floor(config.database.poolSize * part)));
    this.#quotas = { line: share(1 / 2), dispatch: share(1 / 4), reads: share(1 / 2) };
    // Awaited before a connection is used: no statement reaches a database that was swapped for another one.
    const prepare = (client: pg.ClientBase): Promise<void> => {
      limitSession(client);
      return askFirst(client, CONNECT_TIMEOUT_MS, () => identity.verify(client));
    };
    this.pool = new ConnectionPool({
      connectionString: utcConnection(config.database.url),
      min: config.database.poolMin,
      max: config.database.poolSize,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 60_000,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      application_name: `mortise:${config.roles.join('+')}`,
      // Statements are sent without waiting for the answers before them: see TransactionContext.
      pipeline: true,
      onConnect: (client): unknown => prepare(client),
    });
    this.reader = new PipelinedReader(
      {
        connectionString: utcConnection(config.database.url),
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: SESSION_KEEP_ALIVE_AFTER_MS,
        application_name: `mortise:reads:${config.roles.join('+')}`,
      },
      prepare,
    );
    this.root = new PrismaClient({ adapter: new JoiningAdapterFactory(this.pool) });
  }

  /**
   * Runs `work` with Prisma's client; inside a transaction with the transaction's own. Never keep a client beyond `work`,
   * and never read through `root` inside a transaction: Prisma batches its `findUnique` calls over all callers of one turn.
   * Always `select` what you need.
   */
  async prisma<T>(work: (client: PrismaTransaction) => Promise<T>): Promise<T> {
    const transaction = currentTransaction();
    return transaction ? work(await transaction.prisma(this.root)) : this.withinQuota(() => work(this.root));
  }

  /**
   * Runs one statement, prepared once per connection under its name.
   * @param name unique per text; PostgreSQL keeps the plan under it.
   */
  async query<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    assertInTime();
    return this.run<Row>({ name, text, values: [...values] });
  }

  /**
   * Like {@link query}, for a short statement that only reads and that most requests make. It takes no connection of the pool
   * while that can be helped. It may be asked twice: never give it what writes or locks.
   */
  async queryHot<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    assertInTime();
    const statement = { name, text, values: [...values] };
    const rows = currentTransaction() ? null : await this.reader.read<Row>(statement);
    return rows ?? this.run<Row>(statement);
  }

  /**
   * Runs work that takes a connection of its own: as many at once as its kind may hold. Work inside a transaction has its
   * place already.
   */
  withinQuota<T>(work: () => Promise<T>): Promise<T> {
    const kind = connectionKind();
    return kind === 'people' || currentTransaction() ? work() : this.#quotas[kind].run(work, isBatch());
  }

  /** How long work of this kind waits for a connection at present, in milliseconds: as long as the first in its line has. */
  waitMs(kind: 'reads' | 'people'): number {
    return Math.max(this.pool.longestWaitMs, kind === 'reads' ? this.#quotas.reads.longestWaitMs : 0);
  }

  /** Like {@link query}, without an answer. Inside a transaction it does not wait: the commit fails if it fails. */
  async execute(name: string, text: string, values: readonly unknown[] = []): Promise<void> {
    const statement = this.query(name, text, values);
    const transaction = currentTransaction();
    if (transaction) {
      transaction.addPending(statement);
    } else {
      await statement;
    }
  }

  /**
   * Like {@link execute}, as one of the last statements of the surrounding transaction, behind all that its work reads and
   * waits for; at once when there is none.
   */
  async executeLast(name: string, text: string, values: readonly unknown[] = []): Promise<void> {
    const transaction = currentTransaction();
    if (transaction) {
      transaction.addLast({ name, text, values: [...values] });
    } else {
      await this.query(name, text, values);
    }
  }

  /** In the background: the process serves without them, only slower. */
  onApplicationBootstrap(): void {
    this.pool.keepWarm();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.root.$disconnect();
    await Promise.all([this.reader.end(), this.pool.end()]);
  }

  private async run<Row extends pg.QueryResultRow>(statement: NamedStatement): Promise<Row[]> {
    const connection = currentTransaction()?.connection();
    const { rows } = await (connection
      ? connection.query<Row>(statement)
      : this.withinQuota(() => this.pool.query<Row>(statement)));
    return rows;
  }
}
