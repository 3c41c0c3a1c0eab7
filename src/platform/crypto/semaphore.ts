import { DomainError } from '../../shared/domain-error.js';

export interface SemaphoreLimits {
  /** How many run at once. */
  readonly concurrent: number;
  /** How many may wait; the next is refused at once. */
  readonly waiting: number;
  /** Longest wait, in milliseconds. */
  readonly patienceMs: number;
}

/** Work that costs so much that only a little of it may be under way; the caller is asked to come back. */
export class BusyError extends DomainError {
  readonly code = 'busy';
  readonly kind = 'unavailable';

  constructor() {
    super('The server is busy with other requests like this one.', { retryAfter: 1 });
  }
}

/** Lets a few run, a bounded number wait in order, and refuses the rest. */
export class Semaphore {
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(private readonly limits: SemaphoreLimits) {}

  /** @throws BusyError when the queue is full, or its turn did not come in time. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private enter(): Promise<void> {
    if (this.#running < this.limits.concurrent) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#queue.length >= this.limits.waiting) {
      return Promise.reject(new BusyError());
    }
    return this.wait();
  }

  private wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(proceed), 1);
        reject(new BusyError());
      }, this.limits.patienceMs);
      this.#queue.push(proceed);
    });
  }

  /** Passes the place to the next waiter: it never looks free in between, so no caller overtakes the queue. */
  private leave(): void {
    const next = this.#queue.shift();
    if (next) {
      next();
    } else {
      this.#running -= 1;
    }
  }
}
