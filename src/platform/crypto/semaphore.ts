import { DomainError } from '../../shared/domain-error.js';

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
export class BusyError extends DomainError {
  readonly code = 'busy';
  readonly kind = 'unavailable';

  constructor() {
    super('The server is busy with other requests like this one.', { retryAfter: 1 });
  }
}

interface Waiting {
  readonly proceed: () => void;
  readonly refuse: () => void;
}

/**
 * Lets a few run, a bounded number wait, and refuses the rest. Holders take turns, whatever number of places each has asked
 * for; and when no place to wait is left, the holder with the most gives one up for a holder with fewer. So one that asks
 * without end keeps no other from its turn.
 */
export class Semaphore {
  /** By holder, in the order of their turns. No list is empty. */
  readonly #queues = new Map<string, Waiting[]>();
  /** Places of each holder, running or waiting. */
  readonly #held = new Map<string, number>();
  #running = 0;
  #waiting = 0;

  constructor(private readonly limits: SemaphoreLimits) {}

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @throws BusyError when the holder or all together ask for too much, or its turn did not come in time. */
  async run<T>(holder: string, work: () => Promise<T>): Promise<T> {
    const held = this.#held.get(holder) ?? 0;
    if (held >= this.limits.perHolder) {
      throw new BusyError();
    }
    this.#held.set(holder, held + 1);
    try {
      await this.enter(holder);
      try {
        return await work();
      } finally {
        this.leave();
      }
    } finally {
      this.giveBack(holder);
    }
  }

  private async enter(holder: string): Promise<void> {
    if (this.#running < this.limits.concurrent) {
      this.#running += 1;
      return;
    }
    if (this.#waiting >= this.limits.waiting) {
      this.makeRoomFor(holder);
    }
    await this.wait(holder);
  }

  private wait(holder: string): Promise<void> {
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
      this.#queues.set(holder, [...(this.#queues.get(holder) ?? []), one]);
      this.#waiting += 1;
    });
  }

  /** The newest of the holder that waits for most is refused, if that one has more places even then. */
  private makeRoomFor(holder: string): void {
    const own = this.#queues.get(holder)?.length ?? 0;
    const [most = []] = [...this.#queues.values()].sort((a, b) => b.length - a.length);
    if (most.length <= own + 1) {
      throw new BusyError();
    }
    most.at(-1)?.refuse();
  }

  private remove(holder: string, one: Waiting): void {
    const left = (this.#queues.get(holder) ?? []).filter((each) => each !== one);
    this.#waiting -= 1;
    if (left.length === 0) {
      this.#queues.delete(holder);
    } else {
      this.#queues.set(holder, left);
    }
  }

  /** Passes the place to the next holder's first: it never looks free in between, so no caller overtakes the queue. */
  private leave(): void {
    const [next] = this.#queues;
    if (!next) {
      this.#running -= 1;
      return;
    }
    const [holder, [first]] = next;
    first?.proceed();
    const left = this.#queues.get(holder);
    if (left) {
      // To the end of the turns.
      this.#queues.delete(holder);
      this.#queues.set(holder, left);
    }
  }

  private giveBack(holder: string): void {
    const left = (this.#held.get(holder) ?? 1) - 1;
    if (left === 0) {
      this.#held.delete(holder);
    } else {
      this.#held.set(holder, left);
    }
  }
}
