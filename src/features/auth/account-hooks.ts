import { Injectable } from '@nestjs/common';
import type { AccountDeletionHandler } from './auth.types.js';

/** What features above must have their say in, before an account goes. */
@Injectable()
export class AccountHooks {
  readonly #deletion: AccountDeletionHandler[] = [];

  onDeletion(handler: AccountDeletionHandler): void {
    this.#deletion.push(handler);
  }

  /** Inside of the transaction: a handler that refuses keeps the account. */
  async deleting(userId: string): Promise<void> {
    for (const handler of this.#deletion) {
      await handler(userId);
    }
  }
}
