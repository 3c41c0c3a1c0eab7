import { Injectable } from '@nestjs/common';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import type { InvitedAccount, RowOutcome } from '../users/users.types.js';
import { AccountBatch, type BatchMode, type RowResult } from './account-batch.js';
import { PasswordAdministration } from './password-administration.js';
import { StandingAccess } from './standing-access.js';

/** What administrators do to many accounts at once. */
@Injectable()
export class AccountBatches {
  constructor(
    private readonly users: UsersService,
    private readonly access: StandingAccess,
    private readonly passwords: PasswordAdministration,
    private readonly batch: AccountBatch,
    private readonly transactions: Transactions,
  ) {}

  /** Makes accounts and mails each owner a link to choose a password. @throws BatchRefusedError, InvalidAccountError */
  create(rows: readonly InvitedAccount[], mode: BatchMode): Promise<readonly RowResult[]> {
    return this.transactions.run(() =>
      this.batch.once({ mode, member: 'users', rowAction: 'user_created' }, async () => {
        const outcomes = await this.users.accounts.invite(rows);
        await eachAccount(outcomes, (id) => this.passwords.invite(id));
        return outcomes;
      }),
    );
  }

  /** Soft-deletes accounts and ends their sessions. @throws BatchRefusedError */
  delete(ids: readonly string[], mode: BatchMode): Promise<readonly RowResult[]> {
    return this.transactions.run(() =>
      this.batch.once({ mode, member: 'ids', rowAction: 'user_deleted' }, async () => {
        const outcomes = await this.users.accounts.deleteMany(ids);
        await eachAccount(outcomes, (id) => this.access.end(id, { reason: 'account_deleted' }));
        return outcomes;
      }),
    );
  }
}

/** For all at once: the statements of one connection travel together, in their order. */
async function eachAccount(outcomes: readonly RowOutcome[], work: (id: string) => Promise<unknown>): Promise<void> {
  await Promise.all(outcomes.flatMap((outcome) => ('account' in outcome ? [work(outcome.account.id)] : [])));
}
