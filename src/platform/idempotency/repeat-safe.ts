import { Injectable } from '@nestjs/common';
import { Transactions } from '../prisma/transaction.js';
import { Idempotency } from './idempotency.js';

/** A change that is made once for one idempotency key, in one transaction with its claim. */
@Injectable()
export class RepeatSafe {
  constructor(
    private readonly transactions: Transactions,
    private readonly idempotency: Idempotency,
  ) {}

  /** @param make answers the id of what it made or changed. @returns that id, also to a repeat. */
  run(make: () => Promise<string>): Promise<string> {
    return this.transactions.run(async () => (await this.idempotency.once(make)).id);
  }

  /** The same for a change of what has this id already. */
  async change(id: string, work: () => Promise<unknown>): Promise<void> {
    await this.run(async () => {
      await work();
      return id;
    });
  }
}
