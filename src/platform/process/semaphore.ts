import { BUSY } from '../../shared/common-problems.js';
import { DomainError, AsProblem } from '../../shared/domain-error.js';

export interface SemaphoreLimits {
  /** How many run at once. */
  readonly concurrent: number;
  /** How many may wait. */
  readonly waiting: number;
  /** How many of one holder may run or wait. */
  readonly perHolder: number;
  /** Longest wait, in milliseconds. */
  readonly patienceMs: number;
}

/** Work that costs so much that only a little of it may be under way; the caller is asked to come back. */
@AsProblem(BUSY)
export class BusyError extends DomainError {
  constructor() {
    super('The server is busy with other requests like this one.', { retryAfter: 1 });
  }
}

interface Waiting {
  readonly proceed: () => void;
  readonly refuse: () => void;
}

/** Who has places: the number of them, running or waiting, and what waits. */
interface Holder {
  places: number;
  readonly waiting: Waiting[];
}

/**
 * Lets a few run, a bounded number wait, and refuses the rest. Holders take turns, whatever number of places each has asked
 * for; and when no place to wait is left, the holder with the most gives one up for a holder with fewer. So one that asks
 * without end keeps no other from its turn.
 */
export class Semaphore {
  readonly #holders = new Map<string, Holder>();
  /** The holders that wait for something, in the order of their turns. */
  readonly #turns = new Set<Holder>();
  #running = 0;
  #waiting = 0;

  constructor(private readonly limits: SemaphoreLimits) {}

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws BusyError when the holder or all together ask for too much, or its turn did not come in time. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const holder = this.#holders.get(name) ?? { places: 0, waiting: [] };
    if (holder.places >= this.limits.perHolder) {
      throw new BusyError();
    }
    holder.places += 1;
    this.#holders.set(name, holder);
    try {
      await this.enter(holder);
      try {
        return await work();
      } finally {
        this.leave();
      }
    } finally {
      holder.places -= 1;
      if (holder.places === 0) {
        this.#holders.delete(name);
      }
    }
  }

  private async enter(holder: Holder): Promise<void> {
    if (this.#running < this.limits.concurrent) {
      this.#running += 1;
      return;
    }
    if (this.#waiting >= this.limits.waiting) {
      this.makeRoomFor(holder);
    }
    await this.wait(holder);
  }

  private wait(holder: Holder): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        clearTimeout(timer);
        this.remove(holder, one);
        reject(new BusyError());
      };
      const one = {
        refuse,
        proceed: () => {
          clearTimeout(timer);
          this.remove(holder, one);
          resolve();
        },
      };
      const timer = setTimeout(refuse, this.limits.patienceMs);
      holder.waiting.push(one);
      this.#turns.add(holder);
      this.#waiting += 1;
    });
  }

  /** The newest of the holder that waits for most is refused, if that one has more places even then. */
  private makeRoomFor(holder: Holder): void {
    const [most] = [...this.#turns].sort((a, b) => b.waiting.length - a.waiting.length);
    if (!most || most.waiting.length <= holder.waiting.length + 1) {
      throw new BusyError();
    }
    most.waiting.at(-1)?.refuse();
  }

  private remove(holder: Holder, one: Waiting): void {
    holder.waiting.splice(holder.waiting.indexOf(one), 1);
    this.#waiting -= 1;
    if (holder.waiting.length === 0) {
      this.#turns.delete(holder);
    }
  }

  /** Passes the place to the next holder's first: it never looks free in between, so no caller overtakes the queue. */
  private leave(): void {
    const [next] = this.#turns;
    if (!next) {
      this.#running -= 1;
      return;
    }
    next.waiting[0]?.proceed();
    // Still waiting for more: to the end of the turns.
    if (this.#turns.delete(next)) {
      this.#turns.add(next);
    }
  }
}
