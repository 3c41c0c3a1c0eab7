import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { newId } from '../../shared/ids.js';
import { AccountHooks } from './account-hooks.js';
import { type AccountToInsert, AccountsRepository } from './accounts.repository.js';
import { fold, localPart, nameFaults } from './domain/names.js';
import {
  AccountChangedError,
  AccountStateError,
  EmailTakenError,
  InvalidAccountError,
  LastAdminError,
  UsernameTakenError,
  UserNotFoundError,
} from './users.errors.js';
import type {
  Account,
  AccountChanges,
  DeletionRefusals,
  InvitedAccount,
  RowOutcome,
  RowRefusal,
} from './users.types.js';

/** Every change of an account, in one transaction with its audit entry. An administrator who can act always remains. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly accounts: AccountsRepository,
    private readonly hooks: AccountHooks,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** @throws UserNotFoundError */
  async get(id: string): Promise<Account> {
    const account = await this.accounts.find(id);
    if (!account) {
      throw new UserNotFoundError(id);
    }
    return account;
  }

  /** As it stays until the end of the transaction. @throws UserNotFoundError */
  async hold(id: string): Promise<Account> {
    const [account] = await this.accounts.listLocked([id]);
    if (!account) {
      throw new UserNotFoundError(id);
    }
    return account;
  }

  /** @throws UserNotFoundError, AccountChangedError, AccountStateError, EmailTakenError, UsernameTakenError, InvalidAccountError */
  update(id: string, changes: AccountChanges, version?: number): Promise<Account> {
    const folded = foldNames(changes);
    return this.change(id, version, async () => {
      const after = await this.accounts.update(id, folded, version);
      return { after, facts: (account) => picked(account, Object.keys(folded) as (keyof AccountChanges)[]) };
    });
  }

  /** The role held already changes nothing. @throws UserNotFoundError, AccountChangedError, AccountStateError, LastAdminError */
  changeRole(id: string, role: PlatformRole, version?: number): Promise<Account> {
    return this.change(id, version, async (before) => {
      const isHeld =
        before.role === role && before.status !== 'deleted' && [undefined, before.version].includes(version);
      if (isHeld) {
        return { after: before, facts: ({ role }) => ({ role }) };
      }
      if (role !== 'ADMIN') {
        await this.keepAnAdmin([before]);
      }
      return { after: await this.accounts.setRole(id, role, version), facts: ({ role }) => ({ role }) };
    });
  }

  /** @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(id: string): Promise<Account> {
    return this.changeStatus(id, async (before) => {
      await this.keepAnAdmin([before]);
      return this.accounts.block(id);
    });
  }

  /** Before its password is taken away, in the same transaction. @throws LastAdminError where nobody could give another */
  async keepAnAdminBeside(account: Account): Promise<void> {
    if ((await this.lastAdminsAmong([account])).size > 0) {
      throw new LastAdminError('Nobody could let the last administrator in again. Use POST /auth/password instead.');
    }
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(id: string): Promise<Account> {
    return this.changeStatus(id, () => this.accounts.unblock(id));
  }

  /** Registers who is asked before accounts are deleted. Call it in `onModuleInit`. */
  onDeletion(refusals: DeletionRefusals): void {
    this.hooks.onDeletion(refusals);
  }

  /**
   * The row stays, for history and to be restored.
   * @throws UserNotFoundError, AccountStateError, LastAdminError, and what the hooks refuse
   */
  delete(id: string): Promise<Account> {
    return this.changeStatus(id, async (before) => {
      await this.keepAnAdmin([before]);
      const refusal = (await this.hooks.refusals([id])).get(id);
      if (refusal) {
        throw refusal;
      }
      return this.accounts.delete(id);
    });
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(id: string): Promise<Account> {
    return this.changeStatus(id, () => this.accounts.restore(id));
  }

  /**
   * Soft-deletes many; an outcome for each id, in order. Where nobody would remain to administer, or to own something,
   * none of those who do is deleted.
   */
  deleteMany(anyCase: readonly string[]): Promise<RowOutcome[]> {
    const ids = anyCase.map((id) => id.toLowerCase());
    return this.transactions.run(async () => {
      const found = new Map((await this.accounts.listLocked(ids)).map((account) => [account.id, account]));
      const lastAdmins = await this.lastAdminsAmong([...found.values()]);
      const possible = ids.filter((id) => refusalOf(found.get(id), lastAdmins) === null);
      const refused = await this.hooks.refusals(possible);
      const outcomes: RowOutcome[] = [];
      for (const id of ids) {
        const refusal = refusalOf(found.get(id), lastAdmins) ?? refused.get(id)?.code ?? null;
        const deleted = refusal === null ? await this.accounts.delete(id) : null;
        // Null without a refusal: the same id twice.
        outcomes.push(deleted ? { account: deleted } : { refusal: refusal ?? 'account_state' });
      }
      return outcomes;
    });
  }

  /** Makes an account without a password. @throws InvalidAccountError, EmailTakenError, UsernameTakenError */
  inviteOne(row: InvitedAccount): Promise<Account> {
    return this.transactions.run(async () => {
      const [outcome] = await this.invite([row]);
      if (!outcome || 'refusal' in outcome) {
        if (outcome?.errors) {
          throw new InvalidAccountError(outcome.errors);
        }
        throw outcome?.refusal === 'username_taken' ? new UsernameTakenError() : new EmailTakenError();
      }
      const { id, email, username, role } = outcome.account;
      await this.audit.record({ entity: { type: 'user', id }, after: { email, username, role } });
      return outcome.account;
    });
  }

  /** Makes accounts without a password; an outcome for each row, in order. */
  async invite(rows: readonly InvitedAccount[]): Promise<RowOutcome[]> {
    const checked = rows.map(toInsert).map((row) => ({ ...row, errors: nameFaults(row.email, row.username) }));
    const inserts = checked.filter(({ errors }) => errors.length === 0);
    return this.transactions.run(async () => {
      const made = new Map((await this.accounts.insertMany(inserts)).map((account) => [account.id, account]));
      const refused = inserts.filter(({ id }) => !made.has(id));
      const taken = await this.accounts.listTakenEmails(refused.map(({ email }) => email));
      return checked.map(({ id, email, errors }): RowOutcome => {
        if (errors.length > 0) {
          return { refusal: 'invalid_row', errors };
        }
        const account = made.get(id);
        return account ? { account } : { refusal: taken.has(email) ? 'email_taken' : 'username_taken' };
      });
    });
  }

  private changeStatus(id: string, work: (before: Account) => Promise<Account | null>): Promise<Account> {
    return this.change(id, undefined, async (before) => ({
      after: await work(before),
      facts: ({ status }) => ({ status }),
    }));
  }

  private change(
    id: string,
    version: number | undefined,
    work: (before: Account) => Promise<{ after: Account | null; facts: (account: Account) => Record<string, unknown> }>,
  ): Promise<Account> {
    return this.transactions.run(async () => {
      const before = await this.hold(id);
      const { after, facts } = await work(before);
      if (!after) {
        throw version !== undefined && version !== before.version
          ? new AccountChangedError()
          : new AccountStateError(before.status);
      }
      await this.audit.record({ entity: { type: 'user', id: after.id }, before: facts(before), after: facts(after) });
      return after;
    });
  }

  private async keepAnAdmin(losing: readonly Account[]): Promise<void> {
    if ((await this.lastAdminsAmong(losing)).size > 0) {
      throw new LastAdminError();
    }
  }

  /** The administrators among these, if there is none beside them; else nobody. */
  private async lastAdminsAmong(losing: readonly Account[]): Promise<Set<string>> {
    const admins = losing.filter(canAct).map(({ id }) => id);
    return new Set(admins.length > 0 && !(await this.accounts.hasOtherAdmin(admins)) ? admins : []);
  }
}

function canAct({ role, status, hasPassword }: Account): boolean {
  return role === 'ADMIN' && status === 'active' && hasPassword;
}

function refusalOf(account: Account | undefined, lastAdmins: ReadonlySet<string>): RowRefusal | null {
  if (!account) {
    return 'user_not_found';
  }
  if (account.status === 'deleted') {
    return 'account_state';
  }
  return lastAdmins.has(account.id) ? 'last_admin' : null;
}

function toInsert({ email, username, displayName, role }: InvitedAccount): AccountToInsert {
  const folded = { email: fold(email), username: typeof username === 'string' ? fold(username) : null };
  return {
    ...folded,
    id: newId(),
    displayName: displayName?.normalize('NFC').trim() ?? folded.username ?? localPart(folded.email),
    role: role ?? 'USER',
  };
}

/** @throws InvalidAccountError */
function foldNames({ email, username, displayName }: AccountChanges): AccountChanges {
  const folded: AccountChanges = {
    ...(email === undefined ? {} : { email: fold(email) }),
    ...(username === undefined ? {} : { username: username === null ? null : fold(username) }),
    ...(displayName === undefined ? {} : { displayName: displayName.normalize('NFC').trim() }),
  };
  const faults = nameFaults(folded.email ?? 'somebody@example.com', folded.username ?? null);
  if (faults.length > 0) {
    throw new InvalidAccountError(faults);
  }
  return folded;
}

function picked(account: Account, keys: readonly (keyof AccountChanges)[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, account[key]]));
}
