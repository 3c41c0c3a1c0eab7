/** No place became free in time. */
export class NoTurnError extends Error {
  constructor() {
    super('Too much is read at once.');
  }
}

export interface TurnLimits {
  /** How many run at once. */
  readonly concurrent: number;
  /** How many may wait. */
  readonly waiting: number;
  /** Longest wait, in milliseconds. */
  readonly patienceMs: number;
}

/** Lets a few run, one after another in the order in which they came. */
export class TurnLimiter {
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(private readonly limits: TurnLimits) {}

  /** @throws NoTurnError */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.#running < this.limits.concurrent) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.size >= this.limits.waiting) {
      throw new NoTurnError();
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const proceed = (): void => {
      resolve(undefined);
    };
    this.#waiting.add(proceed);
    const timer = setTimeout(() => {
      this.#waiting.delete(proceed);
      reject(new NoTurnError());
    }, this.limits.patienceMs);
    await promise.finally(() => {
      clearTimeout(timer);
    });
  }

  /** Passes the place on: it never looks free in between. */
  private leave(): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next();
    } else {
      this.#running -= 1;
    }
  }
}
