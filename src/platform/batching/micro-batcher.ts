import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError } from '../../shared/domain-error.js';

/** How much is done together. */
export interface BatchRules<Item, Result> {
  readonly maxBatch: number;
  /** Batches under way at once; each may take a connection. */
  readonly maxParallel: number;
  /** Items that wait for their batch; further ones are refused. */
  readonly maxWaiting: number;
  /**
   * Does all or nothing and answers with one result per item, in their order. It needs a time limit of its own: a
   * transaction has one. Items of one batch must not get into each other's way, such as two changes of one row.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

/** So much waits already that a further item would only wait in vain. */
export class BatcherFullError extends DomainError {
  readonly code = 'busy';
  readonly kind = 'unavailable';
  constructor() {
    super('Too much is waiting already. Try again shortly.', { retryAfter: 1 });
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The context of no request and no transaction: a batch belongs to none of its callers. */
const outside = AsyncLocalStorage.snapshot();

/**
 * Does together what many ask for at once: one round trip and one commit instead of one each. It never waits for more
 * to come: what arrived in one turn of the event loop, or while earlier batches were under way, is a batch. So it costs
 * a lonely item next to nothing, and the busier it gets, the more is shared.
 *
 * When a batch fails, each of its items is tried again alone: one that cannot succeed takes nobody with it.
 */
export class MicroBatcher<Item, Result> {
  readonly #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  #starting = false;

  constructor(private readonly rules: BatchRules<Item, Result>) {}

  /** @throws BatcherFullError, or what made the item fail when it was tried alone */
  submit(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.rules.maxWaiting) {
      return Promise.reject(new BatcherFullError());
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ item, resolve, reject });
    this.startSoon();
    return promise;
  }

  /** At the end of this turn, so that what arrives together goes together. */
  private startSoon(): void {
    if (this.#starting || this.#waiting.length === 0 || this.#running >= this.rules.maxParallel) {
      return;
    }
    this.#starting = true;
    outside(() => {
      setImmediate(() => {
        this.#starting = false;
        this.start();
      });
    });
  }

  private start(): void {
    while (this.#waiting.length > 0 && this.#running < this.rules.maxParallel) {
      const batch = this.#waiting.splice(0, this.rules.maxBatch);
      this.#running += 1;
      void this.settle(batch).finally(() => {
        this.#running -= 1;
        this.startSoon();
      });
    }
  }

  private async settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.rules.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length === 1) {
        batch[0]?.reject(error);
      } else {
        // All at once, or a database that hangs would make the last one wait for the time limits of all before it.
        await Promise.all(batch.map((one) => this.settle([one])));
      }
    }
  }
}
