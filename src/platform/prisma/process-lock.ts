import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { inBackground } from '../process/faults.js';
import { ConnectionPool, type PoolClient } from './connection-pool.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { askFirst, limitSession } from './session-limits.js';
import { utcConnection } from './utc-connection.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Who asks whether the process is gone holds its lock for the time of one statement. */
const RETRY_MS = 50;
const REGAIN_EVERY_MS = 500;

/** SQL: whether the process is gone whose lock is in a column. Null where there is none. Ends with the transaction. */
export function isProcessGone(column: string): string {
  return `pg_try_advisory_xact_lock_shared(${column})`;
}

/**
 * A lock that the process holds from its first use to its end: PostgreSQL lets it go as soon as the process is gone, and not while it
 * is only slow, or stopped. It takes a connection of its own, which is opened when it is needed.
 */
@Injectable()
export class ProcessLock implements OnApplicationShutdown {
  readonly #id = BigInt.asIntN(64, randomBytes(8).readBigInt64BE()).toString();
  readonly #pool: ConnectionPool;
  #session: Promise<PoolClient> | undefined;
  #isStopping = false;

  constructor(config: AppConfig, identity: DatabaseIdentityStore) {
    this.#pool = new ConnectionPool({
      connectionString: utcConnection(config.database.url),
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: `mortise:lock:${config.roles.join('+')}`,
      onConnect: (client): unknown => {
        limitSession(client);
        return askFirst(client, CONNECT_TIMEOUT_MS, () => identity.verify(client));
      },
    });
  }

  /** @returns the number of the lock, which this process holds. @throws an Error while PostgreSQL is away */
  async hold(): Promise<string> {
    this.#session ??= this.open();
    try {
      await this.#session;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
    return this.#id;
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isStopping = true;
    const session = await this.#session?.catch(() => undefined);
    session?.release(true);
    await this.#pool.end();
  }

  private async open(): Promise<PoolClient> {
    const session = await this.#pool.connect();
    try {
      while (!(await this.locks(session))) {
        await pause(RETRY_MS);
      }
    } catch (error) {
      session.release(true);
      throw error;
    }
    session.once('error', () => {
      if (!this.#isStopping) {
        session.release(true);
        this.#session = undefined;
        inBackground(() => this.regain());
      }
    });
    return session;
  }

  private async locks(session: PoolClient): Promise<boolean> {
    const { rows } = await session.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS locked', [
      this.#id,
    ]);
    return rows[0]?.locked === true;
  }

  /** The connection was lost, and the lock with it: what this process does is its own all the same. */
  private async regain(): Promise<void> {
    for (;;) {
      try {
        if (!this.#isStopping) {
          await this.hold();
        }
        return;
      } catch {
        await pause(REGAIN_EVERY_MS);
      }
    }
  }
}
