import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

/** The connection of an open transaction; it throws once the transaction is over. */
type OpenConnection = () => pg.PoolClient;

/** Set only while Prisma is asked to join, so that no other transaction of Prisma lands on the connection. */
const joining = new AsyncLocalStorage<OpenConnection>();

/** Runs `start`, which begins an interactive transaction of Prisma: it joins the transaction open on `connection`. */
export function joinOn<T>(connection: OpenConnection, start: () => T): T {
  return joining.run(connection, start);
}

/** Prisma's driver adapter for a pool, whose transactions can join one that is already open on one of its connections. */
export class JoiningAdapterFactory implements SqlDriverAdapterFactory {
  readonly provider = 'postgres';
  readonly adapterName: string;
  readonly #factory: PrismaPg;

  constructor(pool: pg.Pool) {
    this.#factory = new PrismaPg(pool);
    this.adapterName = this.#factory.adapterName;
  }

  async connect(): Promise<SqlDriverAdapter> {
    const adapter = await this.#factory.connect();
    return {
      provider: adapter.provider,
      adapterName: adapter.adapterName,
      queryRaw: (query) => adapter.queryRaw(query),
      executeRaw: (query) => adapter.executeRaw(query),
      executeScript: (script) => adapter.executeScript(script),
      getConnectionInfo: () => adapter.getConnectionInfo(),
      dispose: () => adapter.dispose(),
      startTransaction(level?: IsolationLevel): Promise<Transaction> {
        const connection = joining.getStore();
        return connection ? joinedTransaction(connection) : adapter.startTransaction(level);
      },
    };
  }
}

/** A transaction as Prisma sees it, which begins and ends with ours: its own beginning and end send nothing. */
async function joinedTransaction(connection: OpenConnection): Promise<Transaction> {
  const adapter = await new PrismaPg(new OneConnectionPool(connection)).connect();
  const savepoint = async (sql: string): Promise<void> => {
    await adapter.executeRaw({ sql, args: [], argTypes: [] });
  };
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    // Prisma would otherwise send COMMIT or ROLLBACK itself.
    options: { usePhantomQuery: true },
    queryRaw: (query) => adapter.queryRaw(query),
    executeRaw: (query) => adapter.executeRaw(query),
    createSavepoint: (name) => savepoint(`SAVEPOINT ${name}`),
    rollbackToSavepoint: (name) => savepoint(`ROLLBACK TO SAVEPOINT ${name}`),
    releaseSavepoint: (name) => savepoint(`RELEASE SAVEPOINT ${name}`),
    commit: () => Promise.resolve(),
    rollback: () => Promise.resolve(),
  };
}

/** What Prisma's adapter for pg needs of a pool, over one connection that is already open. It never opens another. */
class OneConnectionPool extends pg.Pool {
  constructor(connection: OpenConnection) {
    super({ max: 1 });
    // pg declares query() with many overloads, of which Prisma's adapter uses one.
    this.query = ((statement: pg.QueryConfig) => connection().query(statement)) as pg.Pool['query'];
    this.connect = () => Promise.reject(new Error('A joined transaction opens no connection.'));
  }
}
