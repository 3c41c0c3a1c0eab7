import { Redis, type RedisOptions } from 'ioredis';
import { stopSocketTimerOnClose } from './socket-timer.js';

/** How long what is under way has when its owner stops. ioredis gives the other side 2 s more to close the connection. */
const LAST_ANSWER_WITHIN_MS = 1_000;
/** By this text callers tell it from an error of Redis. */
const CLOSED = 'Connection is closed.';

export interface EndingRedisOptions extends RedisOptions {
  /** From then on the connection is not made again, and ends unless it answers. */
  readonly stopping?: AbortSignal;
}

/** What ioredis keeps of a connection that was lost, to send it again on the next one. */
interface Unanswered {
  readonly prevCommandQueue?: { shift(): { command: { reject(error: Error): void } } | undefined };
}

/** A connection to Redis that ends in time when its owner stops, and says so to all who wait for it. */
export class EndingRedisClient extends Redis {
  constructor(url: string, { stopping, retryStrategy, ...options }: EndingRedisOptions) {
    super(url, {
      ...options,
      retryStrategy: (attempt) => (stopping?.aborted === true ? null : retryStrategy?.(attempt)),
    });
    stopping?.addEventListener('abort', () => {
      this.endUnlessAnswered();
    });
    stopSocketTimerOnClose(this);
    this.on('end', () => {
      this.refuseUnanswered();
    });
  }

  /**
   * In the pause between two attempts to connect, ioredis would drop the next attempt and never say that the connection has
   * ended. Here that attempt is made, and is the last.
   */
  override disconnect(reconnect = false): void {
    if (reconnect || this.status !== 'reconnecting') {
      super.disconnect(reconnect);
      return;
    }
    this.options.retryStrategy = () => null;
    // Its owner listens no more, and ioredis would print it.
    this.on('error', () => undefined);
    this.once('connect', () => {
      super.disconnect();
    });
  }

  /** A connection that is silently dead answers nothing, and what was asked on it would be waited for. */
  private endUnlessAnswered(): void {
    const timer = setTimeout(() => {
      this.disconnect();
    }, LAST_ANSWER_WITHIN_MS);
    const answered = (): void => {
      clearTimeout(timer);
    };
    this.ping().then(answered, answered);
  }

  /** ioredis would leave without an answer what was under way when the last but one connection was lost. */
  private refuseUnanswered(): void {
    const { prevCommandQueue } = this as unknown as Unanswered;
    for (let lost = prevCommandQueue?.shift(); lost; lost = prevCommandQueue?.shift()) {
      lost.command.reject(new Error(CLOSED));
    }
  }
}
