/** To whom a call goes, and how many of those may be under way with it. */
export interface OriginShare {
  readonly origin: string;
  readonly perOrigin: number;
}

interface OriginCall extends OriginShare {
  readonly proceed: () => void;
}

/**
 * Lets a bounded number of calls be under way, and few of them to one origin: one that does not answer makes its own calls wait, and
 * takes no place from those of others while it has its share.
 */
export class OutboundLimiter {
  readonly #running = new Map<string, number>();
  readonly #waiting = new Set<OriginCall>();
  #total = 0;

  /** @param limit calls that are under way at once */
  constructor(private readonly limit: number) {}

  /** @throws the reason of the signal when it is aborted before the turn comes */
  async run<T>(share: OriginShare, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.hasPlaceFor(share)) {
      this.count(share.origin, 1);
    } else {
      await this.turn(share, signal);
    }
    try {
      return await work();
    } finally {
      this.count(share.origin, -1);
      this.pass();
    }
  }

  private turn(share: OriginShare, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(call);
        reject(signal.reason as Error);
      };
      const call = {
        ...share,
        proceed: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(call);
    });
  }

  /** To the first one that has waited and may go now. */
  private pass(): void {
    for (const call of this.#waiting) {
      if (this.hasPlaceFor(call)) {
        this.#waiting.delete(call);
        this.count(call.origin, 1);
        call.proceed();
        return;
      }
    }
  }

  private hasPlaceFor({ origin, perOrigin }: OriginShare): boolean {
    return this.#total < this.limit && (this.#running.get(origin) ?? 0) < perOrigin;
  }

  private count(origin: string, change: 1 | -1): void {
    this.#total += change;
    const running = (this.#running.get(origin) ?? 0) + change;
    if (running === 0) {
      this.#running.delete(origin);
    } else {
      this.#running.set(origin, running);
    }
  }
}
