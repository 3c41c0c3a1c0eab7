import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { type ConnectionOptions } from 'bullmq';
import { AppConfig } from '../../config/app-config.js';
import { KEEP_ALIVE_AFTER_MS } from '../redis/redis-clients.js';
import type { JobQueueName } from './job-registry.js';

export const MAINTENANCE_QUEUE = 'maintenance' satisfies JobQueueName;
export const DELIVERY_QUEUE = 'delivery' satisfies JobQueueName;
const MAX_RETRY_DELAY_MS = 1_000;
/** Longer than BullMQ lets Redis hold back an answer (10 s). A connection that is silent for longer is dead, and replaced. */
const SILENCE_LIMIT_MS = 15_000;

/** A worker that lost Redis looks again after this pause, which closing it has to wait for. */
export const WORKER_OPTIONS = { runRetryDelay: 1_000 };

/**
 * How BullMQ reaches Redis: it waits for a Redis that is away, as long as it takes. Only once the process stops does it
 * give up, because closing a queue waits as well.
 */
@Injectable()
export class QueueConnectionConfig implements BeforeApplicationShutdown {
  readonly options: ConnectionOptions;
  #stopping = false;

  constructor(config: AppConfig) {
    this.options = {
      url: config.redis.url,
      connectTimeout: 2_000,
      socketTimeout: SILENCE_LIMIT_MS,
      keepAlive: KEEP_ALIVE_AFTER_MS,
      retryStrategy: (attempt: number) => (this.#stopping ? null : Math.min(attempt * 50, MAX_RETRY_DELAY_MS)),
    };
  }

  /** After the processors have begun to close: a worker that has lost its connection for good asks it again without a pause. */
  beforeApplicationShutdown(): void {
    this.#stopping = true;
  }
}
