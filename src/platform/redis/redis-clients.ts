import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { PromptRedisClient, type PromptRedisOptions } from './prompt-redis-client.js';
import { messageOfError } from '../../shared/error-message.js';
import { stopSocketTimerOnClose } from './socket-timer.js';

export type { Redis } from 'ioredis';

const ANSWER_WITHIN_MS = 50;
/**
 * A connection on which something was asked and nothing came for so long is dead, and replaced; also while it is being made.
 * Blocking reads wait for less.
 */
export const SILENCE_LIMIT_MS = 2_500;
/** When a connection has been idle for so long, the system begins to ask whether the other side is still there. */
export const KEEP_ALIVE_AFTER_MS = 5_000;
const MAX_RETRY_DELAY_MS = 1_000;

/**
 * Connections to Redis. Nothing on a request's path waits for it: the application's client fails at once while Redis
 * is away, and its callers have an answer without it.
 */
@Injectable()
export class RedisClients implements OnModuleInit, OnApplicationShutdown {
  readonly app: Redis;
  readonly #open = new Set<Redis>();

  constructor(
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(RedisClients.name);
    this.app = this.connect('app', {
      answerWithinMs: ANSWER_WITHIN_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: true,
      // Not while the application is put together: that takes longer than an answer may.
      lazyConnect: true,
    });
  }

  /** A further connection, for blocking reads and subscriptions. Closed at shutdown. */
  dedicated(purpose: string, options: RedisOptions = {}): Redis {
    return this.connect(purpose, { enableOfflineQueue: false, maxRetriesPerRequest: null, ...options });
  }

  /** Before anything is served or published, there is a connection, or Redis is away. */
  async onModuleInit(): Promise<void> {
    await connectionAttempt(this.app);
  }

  onApplicationShutdown(): void {
    this.#open.forEach((client) => {
      client.disconnect();
    });
  }

  private connect(purpose: string, options: RedisOptions | PromptRedisOptions): Redis {
    const { url } = this.config.redis;
    const all = {
      connectionName: `mortise:${purpose}`,
      connectTimeout: 2_000,
      socketTimeout: SILENCE_LIMIT_MS,
      keepAlive: KEEP_ALIVE_AFTER_MS,
      retryStrategy: (attempt: number) => Math.min(attempt * 50, MAX_RETRY_DELAY_MS),
      ...options,
    };
    const client = 'answerWithinMs' in all ? new PromptRedisClient(url, all) : new Redis(url, all);
    let reported = false;
    client.on('error', (error: Error) => {
      // One line per outage, not one per attempt.
      if (!reported) {
        reported = true;
        this.logger.warn({ purpose, reason: messageOfError(error) }, 'Redis is unreachable; carrying on without it');
      }
    });
    client.on('ready', () => {
      if (reported) {
        reported = false;
        this.logger.info({ purpose }, 'Redis is back');
      }
    });
    stopSocketTimerOnClose(client);
    this.#open.add(client);
    client.once('end', () => this.#open.delete(client));
    return client;
  }
}

/** Waits for the end of an attempt to connect, which has a limit of its own: there is a connection then, or Redis is away. */
export async function connectionAttempt(client: Redis): Promise<void> {
  if (client.status === 'wait') {
    await client.connect().catch(() => undefined);
  } else if (client.status === 'connecting' || client.status === 'connect') {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        client.off('ready', end).off('close', end);
        resolve();
      };
      client.on('ready', end).on('close', end);
    });
  }
}
