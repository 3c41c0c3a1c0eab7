import { Injectable } from '@nestjs/common';
import { Transactions } from '../../platform/prisma/transaction.js';
import { AccountsService } from './accounts.service.js';
import type { Account, AccountChanges, CorrectedAddressHandler } from './users.types.js';

/** Administrators write other names into an account; for another e-mail address, features above have to act. */
@Injectable()
export class AddressCorrections {
  readonly #handlers: CorrectedAddressHandler[] = [];

  constructor(
    private readonly accounts: AccountsService,
    private readonly transactions: Transactions,
  ) {}

  /** Registers what else happens, in the same transaction. Call it in `onModuleInit`. */
  onCorrected(handler: CorrectedAddressHandler): void {
    this.#handlers.push(handler);
  }

  /** @throws UserNotFoundError, AccountChangedError, AccountStateError, EmailTakenError, UsernameTakenError, InvalidAccountError */
  correct(userId: string, changes: AccountChanges, version?: number): Promise<Account> {
    return this.transactions.run(async () => {
      const before = await this.accounts.hold(userId);
      const after = await this.accounts.update(userId, changes, version);
      if (after.email !== before.email) {
        for (const handler of this.#handlers) {
          await handler(before, after);
        }
      }
      return after;
    });
  }
}
