import { Database } from '../../src/platform/prisma/database.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { TestApp } from './test-app.js';

/** A transaction that stands still. */
export interface HeldTransaction<T> {
  /** Lets it go on; answers what began it. */
  finish(): Promise<T>;
}

interface Hold {
  readonly reached: PromiseWithResolvers<undefined>;
  readonly released: PromiseWithResolvers<undefined>;
}

/**
 * Lets a transaction of the application take its id and then stand still before it reads anything: like one whose first
 * lock is on another row, and which waits for a second.
 */
export class HeldTransactions {
  #next: Hold | undefined;

  constructor(app: TestApp, pauseMs: () => number = () => 0) {
    const transactions = app.get(Transactions);
    const database = app.get(Database);
    const original = transactions.independently.bind(transactions);
    transactions.independently = (work) => {
      const hold = this.#next;
      this.#next = undefined;
      const ms = hold ? 0 : pauseMs();
      if (!hold && ms === 0) {
        return original(work);
      }
      return original(async () => {
        await database.query('test_take_id', 'SELECT pg_current_xact_id()');
        hold?.reached.resolve(undefined);
        await (hold?.released.promise ?? new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined)));
        return work();
      });
    };
  }

  /** Calls `begin` and returns when the next transaction has its id. */
  async hold<T>(begin: () => Promise<T>): Promise<HeldTransaction<T>> {
    const hold = { reached: Promise.withResolvers<undefined>(), released: Promise.withResolvers<undefined>() };
    this.#next = hold;
    const outcome = begin();
    outcome.catch(() => undefined);
    await hold.reached.promise;
    return {
      finish: () => {
        hold.released.resolve(undefined);
        return outcome;
      },
    };
  }
}
