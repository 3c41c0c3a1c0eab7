import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { ConnectionPool } from './connection-pool.js';
import { utcConnection } from './utc-connection.js';

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Asks PostgreSQL for a sign of life, over a connection of its own: while requests use up all the others, they are told to
 * come back, but the database is not away, and a balancer must not take every process out of service at once.
 */
@Injectable()
export class DatabaseHealthService implements OnApplicationShutdown {
  readonly #pool: ConnectionPool;

  constructor(config: AppConfig) {
    this.#pool = new ConnectionPool({
      connectionString: utcConnection(config.database.url),
      max: 1,
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      // Kept open, so that a check needs no new connection where the server has none left.
      idleTimeoutMillis: 0,
      application_name: `mortise:health:${config.roles.join('+')}`,
      keepAlive: true,
    });
  }

  /** Rejects when PostgreSQL does not answer. A connection that did not is not used again. */
  async check(): Promise<void> {
    const connection = await this.#pool.connect();
    let answered = false;
    try {
      await within(ANSWER_TIMEOUT_MS, connection.query('SELECT 1'));
      answered = true;
    } finally {
      connection.release(!answered);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pool.end();
  }
}
