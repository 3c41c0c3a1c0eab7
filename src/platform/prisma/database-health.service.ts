import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { ConnectionPool, type PoolClient } from './connection-pool.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { DatabaseSchemaStore } from './database-schema-store.js';
import { utcConnection } from './utc-connection.js';

const ANSWER_TIMEOUT_MS = 1_000;
/** A database that was restored behind connections that survived it is noticed within this time. */
const LOOK_EVERY_MS = 5_000;

/**
 * Asks PostgreSQL for a sign of life, over a connection of its own: while requests use up all the others, they are told to
 * come back, but the database is not away, and a balancer must not take every process out of service at once.
 */
@Injectable()
export class DatabaseHealthService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #pool: ConnectionPool;
  #looking: NodeJS.Timeout | undefined;

  constructor(
    config: AppConfig,
    private readonly identity: DatabaseIdentityStore,
    private readonly schema: DatabaseSchemaStore,
  ) {
    this.#pool = new ConnectionPool({
      connectionString: utcConnection(config.database.url),
      max: 1,
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      // Kept open, so that a check needs no new connection where the server has none left.
      idleTimeoutMillis: 0,
      application_name: `mortise:health:${config.roles.join('+')}`,
    });
  }

  /** Looks by itself, too: not every installation has a probe. What it finds is told by {@link DatabaseIdentityStore}. */
  onApplicationBootstrap(): void {
    this.#looking = setInterval(() => void this.check().catch(() => undefined), LOOK_EVERY_MS).unref();
  }

  /**
   * Rejects when PostgreSQL does not answer. A connection that did not is not used again.
   * @throws ForeignDatabaseError, UnfitDatabaseError
   */
  async check(): Promise<void> {
    const connection = await this.#pool.connect();
    let answered = false;
    try {
      await within(ANSWER_TIMEOUT_MS, this.verify(connection));
      answered = true;
    } finally {
      connection.release(!answered);
    }
  }

  private async verify(connection: PoolClient): Promise<void> {
    await this.identity.verify(connection);
    await this.schema.verify(connection);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#looking);
    await this.#pool.end();
  }
}
