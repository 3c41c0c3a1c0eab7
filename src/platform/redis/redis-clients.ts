import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';

export type { Redis } from 'ioredis';

const COMMAND_TIMEOUT_MS = 50;
const MAX_RETRY_DELAY_MS = 1_000;

/**
 * Connections to Redis. Nothing on a request's path waits for it: the application's client fails at once while Redis
 * is away, and its callers have an answer without it.
 */
@Injectable()
export class RedisClients implements OnApplicationShutdown {
  readonly app: Redis;
  readonly #open = new Set<Redis>();

  constructor(
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(RedisClients.name);
    this.app = this.connect('app', {
      commandTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
    });
  }

  /** A further connection, for blocking reads and subscriptions. Closed at shutdown. */
  dedicated(purpose: string, options: RedisOptions = {}): Redis {
    return this.connect(purpose, { enableOfflineQueue: false, maxRetriesPerRequest: null, ...options });
  }

  onApplicationShutdown(): void {
    this.#open.forEach((client) => {
      client.disconnect();
    });
  }

  private connect(purpose: string, options: RedisOptions): Redis {
    const client = new Redis(this.config.redis.url, {
      connectionName: `mortise:${purpose}`,
      connectTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RETRY_DELAY_MS),
      ...options,
    });
    let reported = false;
    client.on('error', (error: Error) => {
      // One line per outage, not one per attempt.
      if (!reported) {
        reported = true;
        this.logger.warn({ purpose, err: error }, 'Redis is unreachable; carrying on without it');
      }
    });
    client.on('ready', () => {
      if (reported) {
        reported = false;
        this.logger.info({ purpose }, 'Redis is back');
      }
    });
    this.#open.add(client);
    client.once('end', () => this.#open.delete(client));
    return client;
  }
}
