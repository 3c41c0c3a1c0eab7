import pg from 'pg';
import { requestContext } from '../context/request-context.js';
import { isPast, RequestDeadlineError } from '../context/request-deadline.js';
import { EndingClient } from './ending-client.js';
import { inBackground } from '../process/faults.js';
import { SESSION_KEEP_ALIVE_AFTER_MS } from './session-limits.js';

export type { PoolClient } from 'pg';

/** How often it is looked whether there are as many connections as there should be at least. */
const WARM_EVERY_MS = 2_000;

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/**
 * A pool that knows how long its connections are waited for, and gives none to a request whose time is over. Queries of
 * the pool itself and Prisma's come through here as well.
 */
export class ConnectionPool extends pg.Pool {
  /** Since when each waits, by `performance.now()`, oldest first. */
  readonly #waiting = new Map<symbol, number>();
  #warming: NodeJS.Timeout | undefined;
  #onAcquired: (waitedMs: number) => void = () => undefined;

  constructor(options: pg.PoolConfig) {
    super({
      keepAlive: true,
      keepAliveInitialDelayMillis: SESSION_KEEP_ALIVE_AFTER_MS,
      Client: EndingClient,
      ...options,
    });
    // The statement under way reports a broken connection, and the pool replaces an idle one; an error without a listener would
    // end the process, whichever code holds the connection at that moment.
    this.on('error', () => undefined);
    this.on('connect', (client) => {
      client.on('error', () => undefined);
    });
  }

  /**
   * How long the caller has waited that has waited longest for a connection in use, in milliseconds; 0 when none does. A new
   * connection that is slow to come is not counted: it says nothing of how many wait.
   */
  get longestWaitMs(): number {
    const now = performance.now();
    const [since = now] = this.#waiting.values();
    return now - since;
  }

  /** Calls `listener` with how long each connection was waited for, in milliseconds, whether it was there, in use, or new. */
  onAcquired(listener: (waitedMs: number) => void): void {
    this.#onAcquired = listener;
  }

  /** Opens `min` connections, and opens them again after some were lost, so that few callers wait for a new one. */
  keepWarm(): void {
    const { min = 0 } = this.options;
    if (min > 0) {
      this.warm(min);
      this.#warming = setInterval(() => {
        this.warm(min);
      }, WARM_EVERY_MS).unref();
    }
  }

  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    clearInterval(this.#warming);
    if (callback) {
      super.end(callback);
      return undefined;
    }
    return super.end();
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<pg.PoolClient> | undefined {
    if (callback) {
      this.acquire(callback);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.acquire((error, client) => {
        if (client) {
          resolve(client);
        } else {
          reject(error ?? new Error('The pool gave neither a connection nor an error.'));
        }
      });
    });
  }

  /** Those that are idle are taken too, and given back at once: only then are others opened. */
  private warm(min: number): void {
    if (this.totalCount < min) {
      for (let count = min - this.totalCount + this.idleCount; count > 0; count -= 1) {
        inBackground(() =>
          super.connect().then(
            (client) => {
              client.release();
            },
            // While PostgreSQL is away, its callers find that out by themselves.
            () => undefined,
          ),
        );
      }
    }
  }

  private acquire(callback: Callback): void {
    const deadline = requestContext()?.deadline;
    const place = Symbol('place');
    const askedAt = performance.now();
    if (this.idleCount === 0 && this.totalCount >= this.options.max) {
      this.#waiting.set(place, performance.now());
    }
    super.connect((error, client, done) => {
      this.#waiting.delete(place);
      if (client) {
        this.#onAcquired(performance.now() - askedAt);
      }
      if (client && isPast(deadline)) {
        done();
        callback(new RequestDeadlineError(), undefined, () => undefined);
      } else {
        callback(error, client, done);
      }
    });
  }
}
