import { Injectable } from '@nestjs/common';
import { type ConnectionOptions, createIORedisClient, RedisConnection } from 'bullmq';
import { AppConfig } from '../../config/app-config.js';
import { EndingRedisClient, type EndingRedisOptions } from '../redis/ending-redis-client.js';
import { KEEP_ALIVE_AFTER_MS } from '../redis/redis-clients.js';

const MAX_RETRY_DELAY_MS = 1_000;
/** Longer than BullMQ lets Redis hold back an answer (10 s). A connection that is silent for longer is dead, and replaced. */
const SILENCE_LIMIT_MS = 15_000;

// BullMQ waits for the end of each connection when it closes.
RedisConnection.clientFactory = ({ url = '', ...options }) => createIORedisClient(new EndingRedisClient(url, options));

/** How BullMQ reaches Redis: it waits for a Redis that is away, as long as it takes. */
@Injectable()
export class QueueConnectionConfig {
  readonly options: ConnectionOptions & EndingRedisOptions & { readonly url: string };
  readonly #stopping = new AbortController();

  constructor(config: AppConfig) {
    this.options = {
      url: config.redis.url,
      connectTimeout: 2_000,
      socketTimeout: SILENCE_LIMIT_MS,
      keepAlive: KEEP_ALIVE_AFTER_MS,
      retryStrategy: (attempt: number) => Math.min(attempt * 50, MAX_RETRY_DELAY_MS),
      stopping: this.#stopping.signal,
    };
  }

  /**
   * From now on a connection that is lost stays so: what is closing would wait for it. Only once all workers of the process
   * have begun to close: one that goes on asks a connection that has ended again and again, without a pause.
   */
  giveUp(): void {
    this.#stopping.abort();
  }
}
