import { AsyncLocalStorage } from 'node:async_hooks';
import { BUSY } from '../../shared/common-problems.js';
import { DomainError, AsProblem } from '../../shared/domain-error.js';
import { requestContext } from '../context/request-context.js';

/** Whose work takes a connection: the device line's, dispatch's, what people read, or what else they do, which may take all. */
export type ConnectionKind = 'line' | 'dispatch' | 'reads' | 'people';

const kinds = new AsyncLocalStorage<ConnectionKind>();

/** Runs work that serves no request and no message, such as a batch of many, so that its connections count as of a kind. */
export function connectAs<T>(kind: ConnectionKind, work: () => T): T {
  return kinds.run(kind, work);
}

export function connectionKind(): ConnectionKind {
  const context = requestContext();
  if (!context) {
    return kinds.getStore() ?? 'people';
  }
  if (context.source === 'mqtt' || context.actor.startsWith('device:')) {
    return 'line';
  }
  return context.priority === 'read' ? 'reads' : 'people';
}

/** Whether the work is a batch of many, of which few wait at a time. */
export function isBatch(): boolean {
  return requestContext() === undefined;
}

/** As long as a caller waits for the pool itself. */
const PATIENCE_MS = 5_000;

/** Work of one kind had all of its connections for too long. */
@AsProblem(BUSY)
export class ConnectionQuotaError extends DomainError {
  constructor() {
    super('Too much is under way already. Try again shortly.', { retryAfter: 1 });
  }
}

/**
 * How many connections of the pool one kind of work may hold at once. The rest waits in order; batches and single work,
 * of which there may be a thousand, enter in turn.
 */
export class ConnectionQuota {
  /** Since when they wait, by `performance.now()`. */
  readonly #batches = new Map<() => void, number>();
  readonly #others = new Map<() => void, number>();
  #held = 0;
  #batchIsNext = true;

  constructor(private readonly connections: number) {}

  /** How long the work has waited that has waited longest, in milliseconds; 0 when none waits. */
  get longestWaitMs(): number {
    const now = performance.now();
    const [[, batch] = ['', now]] = this.#batches;
    const [[, other] = ['', now]] = this.#others;
    return now - Math.min(batch, other);
  }

  /** Runs `work`, which takes one connection. @throws ConnectionQuotaError when its turn did not come in time. */
  async run<T>(work: () => Promise<T>, isBatch = false): Promise<T> {
    await this.enter(isBatch ? this.#batches : this.#others);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private async enter(waiting: Map<() => void, number>): Promise<void> {
    if (this.#held < this.connections) {
      this.#held += 1;
      return;
    }
    const turn = Promise.withResolvers<undefined>();
    const proceed = (): void => {
      turn.resolve(undefined);
    };
    const timer = setTimeout(() => {
      waiting.delete(proceed);
      turn.reject(new ConnectionQuotaError());
    }, PATIENCE_MS);
    waiting.set(proceed, performance.now());
    await turn.promise.finally(() => {
      clearTimeout(timer);
    });
  }

  /** The place passes to the next one: it never looks free in between. */
  private leave(): void {
    const isBatch = this.#others.size === 0 || (this.#batchIsNext && this.#batches.size > 0);
    const waiting = isBatch ? this.#batches : this.#others;
    const [next] = waiting.keys();
    if (next) {
      this.#batchIsNext = !isBatch;
      waiting.delete(next);
      next();
    } else {
      this.#held -= 1;
    }
  }
}
