import { AsyncLocalStorage } from 'node:async_hooks';
import type pg from 'pg';
import { type PrismaClient } from '../../generated/prisma/client.js';
import { assertCommitInTime, assertInTime } from '../context/request-deadline.js';
import { joinOn } from './joining-adapter-factory.js';

export type PrismaTransaction = Parameters<
  Extract<Parameters<PrismaClient['$transaction']>[0], (...args: never) => unknown>
>[0];

/** As pg takes it: prepared once per connection under its name. */
export interface NamedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** The SQLSTATE of a notice of the triggers that name the tags of a change: see the migration `cache_invalidations`. */
const TAGS_CHANGED = 'CACHE';

/** Prisma's own limit comes after ours: it must never be the one that ends a transaction. */
const PRISMA_LIMITS = { maxWait: 5_000, timeout: 60_000 };

/**
 * One open transaction on a connection of its own. Plain SQL goes straight there; Prisma joins when it is first asked
 * for. When the transaction is over, nothing can be sent on the connection any more.
 */
export class TransactionContext {
  readonly afterCommit: (() => void)[] = [];
  /** They leave with COMMIT, when the work is done. */
  readonly #last: NamedStatement[] = [];
  readonly #pending: Promise<unknown>[] = [];
  #hasFailed = false;
  readonly #ended = Promise.withResolvers<undefined>();
  #prisma: Promise<PrismaTransaction> | undefined;
  #over = false;
  readonly #changedTags = new Set<string>();
  readonly #hear = ({
    code,
    message,
  }: {
    readonly code?: string | undefined;
    readonly message?: string | undefined;
  }): void => {
    if (code === TAGS_CHANGED && message) {
      message.split(' ').forEach((tag) => this.#changedTags.add(tag));
    }
  };

  /** @param listens whether this process acts on {@link changedTags}; else the triggers leave the tags in a table, for the others */
  constructor(
    private readonly client: pg.PoolClient,
    listens: boolean,
  ) {
    client.on('notice', this.#hear);
    // Its answer is not awaited: it leaves with the first statement, and fails only with the connection. DEFERRABLE asks the
    // triggers of cached tables for notices, which arrive before the answers to the statements that caused them.
    this.addPending(corkForOneTurn(client).query(listens ? 'BEGIN DEFERRABLE' : 'BEGIN'));
  }

  /** The tags of what its answered statements have changed. */
  get changedTags(): ReadonlySet<string> {
    return this.#changedTags;
  }

  /** Nothing of it is heard any more: its connection is another's now. */
  leave(): void {
    this.client.off('notice', this.#hear);
  }

  connection(): pg.PoolClient {
    this.assertOpen();
    assertInTime();
    return corkForOneTurn(this.client);
  }

  /** Adds a statement whose answer is not needed: COMMIT may be sent after it before it is answered, and fails with it. */
  addPending(statement: Promise<unknown>): void {
    statement.catch(() => {
      this.#hasFailed = true;
    });
    this.#pending.push(statement);
  }

  /** Adds a statement that is sent with COMMIT, which fails with it. */
  addLast(statement: NamedStatement): void {
    this.assertOpen();
    this.#last.push(statement);
  }

  /** Prisma's client for this transaction; its own transaction is open until ours ends. */
  prisma(root: PrismaClient): Promise<PrismaTransaction> {
    this.#prisma ??= new Promise((resolve, reject) => {
      const joined = joinOn(
        () => this.connection(),
        () =>
          root.$transaction((prisma) => {
            resolve(prisma);
            return this.#ended.promise;
          }, PRISMA_LIMITS),
      );
      joined.catch(reject);
    });
    return this.#prisma;
  }

  /**
   * Once it has begun, nothing is asked any more that could refuse a statement: all of the last ones are sent, and COMMIT.
   * @throws what made a statement fail, or RequestDeadlineError; then nothing of the transaction stands.
   */
  async commit(): Promise<void> {
    assertCommitInTime();
    if (this.#hasFailed) {
      // It may never have reached the server, which would then commit the rest.
      await Promise.all(this.#pending);
    }
    const connection = corkForOneTurn(this.client);
    for (const statement of this.#last) {
      this.addPending(connection.query(statement));
    }
    this.end();
    const committed = connection.query('COMMIT');
    await Promise.all([...this.#pending, committed]);
    if ((await committed).command !== 'COMMIT') {
      throw new Error('The transaction was rolled back: the failure of one of its statements went unnoticed.');
    }
  }

  async rollback(): Promise<void> {
    this.end();
    await this.client.query('ROLLBACK');
  }

  private assertOpen(): void {
    if (this.#over) {
      throw new Error('The transaction is over: this statement would have run outside of it.');
    }
  }

  private end(): void {
    this.#over = true;
    this.#ended.resolve(undefined);
  }
}

/** Sends the statements of one turn of the event loop in one packet, because a write costs more than what it carries. */
function corkForOneTurn(client: pg.PoolClient): pg.PoolClient {
  const { stream } = client.connection;
  stream.cork();
  process.nextTick(() => {
    stream.uncork();
  });
  return client;
}

const storage = new AsyncLocalStorage<TransactionContext | undefined>();

/** The transaction that surrounds the caller. */
export function currentTransaction(): TransactionContext | undefined {
  return storage.getStore();
}

/** Runs `work` in a transaction, or with undefined outside of any. */
export function runInTransaction<T>(context: TransactionContext | undefined, work: () => T): T {
  return storage.run(context, work);
}
