import { Injectable } from '@nestjs/common';
import { InvalidRequestError } from '../../platform/http/validation.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import type { RowOutcome } from '../users/users.types.js';
import { BulkOutcomes, type BatchMode, type RowResult } from './bulk-outcomes.js';
import { PasswordResetService } from '../auth/passwords/password-reset.service.js';
import { checkRow, type CheckedRow, type RowShape } from './row-shape.js';
import { AccessRevocationService } from '../auth/sessions/access-revocation.service.js';

/** What administrators do to many accounts at once. */
@Injectable()
export class BulkUsersService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly batch: BulkOutcomes,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Makes accounts and mails each owner a link to choose a password.
   * @throws BatchRefusedError; InvalidRequestError in mode `all`, when a row does not have the shape of an account
   */
  async create(rows: readonly unknown[], shape: RowShape, mode: BatchMode): Promise<readonly RowResult[]> {
    const checked = await Promise.all(rows.map((row) => checkRow(row, shape)));
    const faults = checked.flatMap(({ errors }, row) =>
      errors.map(({ detail, pointer }) => ({ detail, pointer: `/users/${String(row)}${pointer}` })),
    );
    if (mode === 'all' && faults.length > 0) {
      throw new InvalidRequestError(faults);
    }
    return this.createChecked(checked, mode);
  }

  /** As {@link create}, of rows that were looked at; those that are no accounts are refused. @throws BatchRefusedError */
  createChecked(rows: readonly CheckedRow[], mode: BatchMode): Promise<readonly RowResult[]> {
    return this.transactions.run(() =>
      this.batch.once({ mode, member: 'users', rowAction: 'user_created' }, async () => {
        const made = await this.users.accounts.invite(rows.flatMap(({ account }) => (account ? [account] : [])));
        await eachAccount(made, (id) => this.passwords.invite(id));
        return inPlace(rows, made);
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

/** The outcomes of the accounts, each in the place of its row, among the rows that are none. */
function inPlace(rows: readonly CheckedRow[], made: readonly RowOutcome[]): RowOutcome[] {
  const outcomes = made.values();
  return rows.map(({ account, errors }): RowOutcome => {
    const outcome = account ? outcomes.next().value : undefined;
    return outcome ?? { refusal: 'invalid_row', errors };
  });
}

/** For all at once: the statements of one connection travel together, in their order. */
async function eachAccount(outcomes: readonly RowOutcome[], work: (id: string) => Promise<unknown>): Promise<void> {
  await Promise.all(outcomes.flatMap((outcome) => ('account' in outcome ? [work(outcome.account.id)] : [])));
}
