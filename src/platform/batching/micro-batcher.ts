import { AsyncLocalStorage } from 'node:async_hooks';
import { DeadlineExceededError, within } from '../../shared/deadline.js';
import { BUSY } from '../../shared/common-problems.js';
import { DomainError, AsProblem } from '../../shared/domain-error.js';
import { requestContext } from '../context/request-context.js';
import { commitUntil, isPast, RequestDeadlineError } from '../context/request-deadline.js';
import { type ConnectionKind, connectAs } from '../prisma/connection-quota.js';
import { inBackground } from '../process/faults.js';

/** How much is done together. */
export interface BatchRules<Item, Result> {
  /** The weight of a batch at most. An item that weighs more is a batch of its own. */
  readonly maxBatch: number;
  /** What an item counts against `maxBatch`; 1 when left out. */
  readonly weightOf?: (item: Item) => number;
  /**
   * Milliseconds that an idle batcher waits for more items after the first one, unless `maxBatch` of them wait. Left
   * out, it waits until the end of the current turn of the event loop.
   */
  readonly delayMs?: number;
  /** Whose connections to PostgreSQL its batches take: they run in the context of no message and no request. */
  readonly connectsAs: ConnectionKind;
  /** Batches under way at once; each may take a connection. */
  readonly maxParallel: number;
  /** Items that wait for their batch; further ones are refused. */
  readonly maxWaiting: number;
  /**
   * Does all or nothing and answers with one result per item, in their order. After {@link RUN_WITHIN_MS} it has failed, and
   * the next batch takes its place. Items of one batch must not conflict with each other, such as two changes of one row.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

/** Too many items wait already: a further one would not be served in a useful time. */
@AsProblem(BUSY)
export class BatcherFullError extends DomainError {
  constructor() {
    super('Too much is waiting already. Try again shortly.', { retryAfter: 1 });
  }
}

/** A batch did not end: what came of it is unknown, and nothing of it is tried again. */
export class BatchOverdueError extends DeadlineExceededError {}

/** Longer than a transaction takes at most, with its wait for a connection. */
export const RUN_WITHIN_MS = 20_000;
/** Items of a failed batch that are tried alone at the same time. */
const MAX_RETRIES_AT_ONCE = 4;
/** Later, no more of them are tried: a database that hangs would make the last one wait for the time limits of all others. */
const RETRY_WITHIN_MS = 5_000;

interface Waiting<Item, Result> {
  readonly item: Item;
  /** Of the request that it is part of. */
  readonly deadline: number | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The context of no request and no transaction: a batch belongs to none of its callers. */
const outside = AsyncLocalStorage.snapshot();

/**
 * Runs items in batches: one round trip and one commit for many callers instead of one each. A batch holds what arrived
 * in one turn of the event loop, or while earlier batches were under way. So a single item is hardly delayed, and
 * batches grow with the load. Only a batcher with `delayMs` waits for more items to come.
 *
 * When a batch fails, each of its items is tried again alone, a few at a time, so that a bad item does not fail the others.
 * Nothing is committed for a request whose time is over: what else was in its batch is tried again without it.
 */
export class MicroBatcher<Item, Result> {
  readonly #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  #starting = false;
  #delay: NodeJS.Timeout | undefined;
  #idle: PromiseWithResolvers<undefined> | undefined;

  constructor(private readonly rules: BatchRules<Item, Result>) {}

  /** @throws BatcherFullError, or what made the item fail when it was tried alone */
  submit(item: Item): Promise<Result> {
    if (this.#waiting.length >= this.rules.maxWaiting) {
      return Promise.reject(new BatcherFullError());
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ item, deadline: requestContext()?.deadline, resolve, reject });
    if (this.rules.delayMs === undefined || this.#waiting.length >= this.rules.maxBatch) {
      this.startSoon();
    } else if (this.#running === 0) {
      this.startAfter(this.rules.delayMs);
    }
    return promise;
  }

  /** Runs what waits, without its delay. Resolves when nothing waits and nothing is under way. */
  async flush(): Promise<void> {
    if (this.#waiting.length > 0 || this.#running > 0) {
      this.#idle ??= Promise.withResolvers<undefined>();
      this.startSoon();
      await this.#idle.promise;
    }
  }

  private startAfter(delayMs: number): void {
    this.#delay ??= outside(() =>
      setTimeout(() => {
        this.start();
      }, delayMs).unref(),
    );
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
    clearTimeout(this.#delay);
    this.#delay = undefined;
    while (this.#waiting.length > 0 && this.#running < this.rules.maxParallel) {
      const batch = this.takeBatch();
      this.#running += 1;
      inBackground(() =>
        this.settle(batch).finally(() => {
          this.#running -= 1;
          this.startSoon();
          this.tellIdle();
        }),
      );
    }
  }

  private takeBatch(): Waiting<Item, Result>[] {
    const { maxBatch, weightOf } = this.rules;
    if (!weightOf) {
      return this.#waiting.splice(0, maxBatch);
    }
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }) => (weight += weightOf(item)) > maxBatch);
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(end, 1));
  }

  private tellIdle(): void {
    if (this.#waiting.length === 0 && this.#running === 0) {
      this.#idle?.resolve(undefined);
      this.#idle = undefined;
    }
  }

  /** @param neededMs how long it will take: what has less time left is refused, because it would come too late again */
  private async settle(taken: readonly Waiting<Item, Result>[], neededMs = 0): Promise<void> {
    const batch = inTime(taken, neededMs);
    if (batch.length === 0) {
      return;
    }
    const began = performance.now();
    const deadline = firstDeadline(batch);
    try {
      const items = batch.map(({ item }) => item);
      const run = connectAs(this.rules.connectsAs, () => commitUntil(deadline, () => this.rules.run(items)));
      const results = await within(RUN_WITHIN_MS, run, BatchOverdueError);
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      if (error instanceof RequestDeadlineError && isPast(deadline)) {
        await this.settle(batch, performance.now() - began);
      } else if (batch.length === 1 || error instanceof BatchOverdueError) {
        batch.forEach(({ reject }) => {
          reject(error);
        });
      } else {
        await this.tryEach(batch, error);
      }
    }
  }

  private async tryEach(batch: readonly Waiting<Item, Result>[], failure: unknown): Promise<void> {
    const giveUpAt = performance.now() + RETRY_WITHIN_MS;
    const left = [...batch];
    const tryNext = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) {
        if (performance.now() < giveUpAt) {
          await this.settle([next]);
        } else {
          next.reject(failure);
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_RETRIES_AT_ONCE }, tryNext));
  }
}

function firstDeadline(batch: readonly Waiting<unknown, never>[]): number | undefined {
  const deadlines = batch.flatMap(({ deadline }) => deadline ?? []);
  return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
}

/** Refuses those whose request has no more time than this: its caller is told that it was given up. */
function inTime<Item, Result>(taken: readonly Waiting<Item, Result>[], neededMs: number): Waiting<Item, Result>[] {
  return taken.filter(({ deadline, reject }) => {
    const isLate = deadline !== undefined && isPast(deadline - neededMs);
    if (isLate) {
      reject(new RequestDeadlineError());
    }
    return !isLate;
  });
}
