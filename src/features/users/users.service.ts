import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import type { DomainError } from '../../shared/domain-error.js';
import { newId } from '../../shared/ids.js';
import { AccountStandingService } from './account-standing.service.js';
import { foldedChanges, foldedNames, nameFaults, uniqueName } from './domain/names.js';
import { UserPasswordsService } from './user-passwords.service.js';
import {
  AccountChangedError,
  AccountStateError,
  EmailTakenError,
  InvalidAccountError,
  LastAdminError,
  UsernameTakenError,
  UserNotFoundError,
} from './users.errors.js';
import { UsersRepository } from './users.repository.js';
import type { Account, AccountChanges, InvitedAccount, NewUser, PreparedAccount, User } from './users.types.js';

/**
 * Accounts: found, made and changed. A change and its audit entry share one transaction, and an administrator who can
 * sign in always remains.
 */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly passwords: UserPasswordsService,
    private readonly standing: AccountStandingService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** @throws UserNotFoundError */
  async get(id: string): Promise<User> {
    const user = await this.repository.findById(id);
    if (!user) {
      throw new UserNotFoundError(id);
    }
    return user;
  }

  /** The whole account. @throws UserNotFoundError */
  async getAccount(id: string): Promise<Account> {
    const account = await this.repository.findAccount(id);
    if (!account) {
      throw new UserNotFoundError(id);
    }
    return account;
  }

  /** The whole account, locked until the end of the transaction. @throws UserNotFoundError */
  async lock(id: string): Promise<Account> {
    const [account] = await this.lockAll([id]);
    if (!account) {
      throw new UserNotFoundError(id);
    }
    return account;
  }

  /** Those of these accounts that exist, locked in the order of their ids until the end of the transaction. */
  lockAll(ids: readonly string[]): Promise<Account[]> {
    return this.repository.lock(ids);
  }

  /** The person behind an e-mail address or username, in any case and spelling; also of a deleted account. */
  findByIdentifier(identifier: string): Promise<User | null> {
    return this.repository.findByName(uniqueName(identifier));
  }

  /** The same, unless the account is deleted. */
  findUndeletedByIdentifier(identifier: string): Promise<User | null> {
    return this.repository.findByName({ ...uniqueName(identifier), deletedAt: null });
  }

  /** Whether this person is an administrator who can act now, whatever their token says. */
  async isAdmin(id: string): Promise<boolean> {
    const account = await this.repository.findAccount(id);
    return account?.role === 'ADMIN' && account.status === 'active';
  }

  /** Which of these people are administrators who can act now. */
  adminsAmong(ids: readonly string[]): Promise<Set<string>> {
    return this.repository.findAdmins(ids);
  }

  /**
   * Makes an account, with role `USER` unless told otherwise.
   * @throws WeakPasswordError, InvalidAccountError, EmailTakenError, UsernameTakenError
   * @throws BusyError when too many passwords are being hashed
   */
  async create(account: NewUser): Promise<User> {
    return this.createPrepared(await this.prepare(account), account.role);
  }

  /**
   * Checks an account to be, and hashes its password. Hashing takes long: call this before the transaction, not inside.
   * @throws WeakPasswordError, InvalidAccountError, BusyError
   */
  async prepare(account: Omit<NewUser, 'role'>): Promise<PreparedAccount> {
    const names = foldedNames(account);
    const faults = nameFaults(names.email, names.username);
    if (faults.length > 0) {
      throw new InvalidAccountError(faults);
    }
    return { ...names, passwordHash: await this.passwords.hash(account.password, names) };
  }

  /** @throws EmailTakenError, UsernameTakenError */
  createPrepared(account: PreparedAccount, role: PlatformRole = 'USER'): Promise<User> {
    return this.repository.create({ ...account, role });
  }

  /** Makes an account without a password. @throws InvalidAccountError, EmailTakenError, UsernameTakenError */
  invite(account: InvitedAccount): Promise<Account> {
    return this.transactions.run(async () => {
      const [made] = await this.inviteMany([account]);
      if (!made || made instanceof Error) {
        throw made ?? new Error('An account that was asked for has no outcome.');
      }
      const { id, email, username, role } = made;
      await this.audit.record({ entity: { type: 'user', id }, after: { email, username, role } });
      return made;
    });
  }

  /**
   * Makes accounts without passwords; the caller records them.
   * @returns for each, in order, the account or why it cannot be made: an InvalidAccountError, EmailTakenError or
   *   UsernameTakenError.
   */
  inviteMany(accounts: readonly InvitedAccount[]): Promise<(Account | DomainError)[]> {
    const rows = accounts.map((account) => {
      const names = foldedNames(account);
      return { ...names, id: newId(), role: account.role ?? 'USER', faults: nameFaults(names.email, names.username) };
    });
    const valid = rows.filter(({ faults }) => faults.length === 0);
    return this.transactions.run(async () => {
      const made = new Map((await this.repository.insertMany(valid)).map((account) => [account.id, account]));
      const refused = valid.filter(({ id }) => !made.has(id));
      const taken = await this.repository.listTakenEmails(refused.map(({ email }) => email));
      return rows.map(({ id, email, faults }) => {
        if (faults.length > 0) {
          return new InvalidAccountError(faults);
        }
        return made.get(id) ?? (taken.has(email) ? new EmailTakenError() : new UsernameTakenError());
      });
    });
  }

  /**
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, EmailTakenError, UsernameTakenError,
   * InvalidAccountError
   */
  async update(id: string, changes: AccountChanges, versions?: readonly number[]): Promise<Account> {
    const folded = foldedChanges(changes);
    const faults = nameFaults(folded.email ?? null, folded.username ?? null);
    if (faults.length > 0) {
      throw new InvalidAccountError(faults);
    }
    return this.change(id, versions, async () => {
      const after = await this.repository.update(id, folded, versions);
      const keys = Object.keys(folded) as (keyof AccountChanges)[];
      return { after, facts: (account) => Object.fromEntries(keys.map((key) => [key, account[key]])) };
    });
  }

  /**
   * The role held already changes nothing. @throws UserNotFoundError, AccountChangedError, AccountStateError,
   * LastAdminError
   */
  changeRole(id: string, role: PlatformRole, versions?: readonly number[]): Promise<Account> {
    return this.change(id, versions, async (before) => {
      const isHeld =
        before.role === role && before.status !== 'deleted' && (versions?.includes(before.version) ?? true);
      if (isHeld) {
        return { after: before, facts: ({ role }) => ({ role }) };
      }
      if (role !== 'ADMIN') {
        await this.requireOtherAdmin(before);
      }
      return { after: await this.repository.setRole(id, role, versions), facts: ({ role }) => ({ role }) };
    });
  }

  /** @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(id: string): Promise<Account> {
    return this.changeStatus(id, async (before) => {
      await this.requireOtherAdmin(before);
      return this.ending(await this.repository.block(id));
    });
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(id: string): Promise<Account> {
    return this.changeStatus(id, () => this.repository.unblock(id));
  }

  /**
   * The row stays, for history and to be restored.
   * @throws UserNotFoundError, AccountStateError, LastAdminError, and what features above refuse
   */
  delete(id: string): Promise<Account> {
    return this.changeStatus(id, async (before) => {
      await this.requireOtherAdmin(before);
      const refusal = (await this.standing.refusalsOf([id])).get(id);
      if (refusal) {
        throw refusal;
      }
      return this.ending(await this.repository.delete(id));
    });
  }

  /**
   * Soft-deletes many; the caller records them. If no administrator would remain, or no owner of something, none of those
   * who are needed is deleted.
   * @returns for each id, in order, the account or why it stays.
   */
  deleteMany(ids: readonly string[]): Promise<(Account | DomainError)[]> {
    return this.transactions.run(async () => {
      const found = new Map((await this.repository.lock(ids)).map((account) => [account.id, account]));
      const lastAdmins = await this.lastAdminsAmong([...found.values()]);
      const refusals = new Map(ids.map((id) => [id, refusalOf(id, found.get(id), lastAdmins)]));
      const possible = ids.filter((id) => !refusals.get(id));
      (await this.standing.refusalsOf(possible)).forEach((refusal, id) => refusals.set(id, refusal));
      const outcomes: (Account | DomainError)[] = [];
      for (const id of ids) {
        // Without a refusal it is null when the same id stands there twice.
        outcomes.push(refusals.get(id) ?? (await this.repository.delete(id)) ?? new AccountStateError('deleted'));
      }
      await this.standing.end(ids.filter((id) => !refusals.get(id)));
      return outcomes;
    });
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(id: string): Promise<Account> {
    return this.changeStatus(id, () => this.repository.restore(id));
  }

  /**
   * Call it before a password is taken away, in the same transaction.
   * @throws LastAdminError when no other administrator could give this one another password
   */
  async requireOtherAdmin(account: Account, message?: string): Promise<void> {
    if ((await this.lastAdminsAmong([account])).size > 0) {
      throw new LastAdminError(message);
    }
  }

  private changeStatus(id: string, work: (before: Account) => Promise<Account | null>): Promise<Account> {
    return this.change(id, undefined, async (before) => ({
      after: await work(before),
      facts: ({ status }) => ({ status }),
    }));
  }

  private change(
    id: string,
    versions: readonly number[] | undefined,
    work: (before: Account) => Promise<{ after: Account | null; facts: (account: Account) => Record<string, unknown> }>,
  ): Promise<Account> {
    return this.transactions.run(async () => {
      const before = await this.lock(id);
      const { after, facts } = await work(before);
      if (!after) {
        const isWanted = versions?.includes(before.version) ?? true;
        throw isWanted ? new AccountStateError(before.status) : new AccountChangedError();
      }
      await this.audit.record({ entity: { type: 'user', id: after.id }, before: facts(before), after: facts(after) });
      return after;
    });
  }

  /** The administrators among these, if no other one can sign in; else none. */
  private async lastAdminsAmong(losing: readonly Account[]): Promise<ReadonlySet<string>> {
    const admins = losing
      .filter(({ role, status, hasPassword }) => role === 'ADMIN' && status === 'active' && hasPassword)
      .map(({ id }) => id);
    return new Set(admins.length > 0 && !(await this.repository.hasOtherAdmin(admins)) ? admins : []);
  }

  /** Ends what an account has open, if it has just stopped being able to act. */
  private async ending(ended: Account | null): Promise<Account | null> {
    if (ended) {
      await this.standing.end([ended.id]);
    }
    return ended;
  }
}

function refusalOf(id: string, account: Account | undefined, lastAdmins: ReadonlySet<string>): DomainError | null {
  if (!account) {
    return new UserNotFoundError(id);
  }
  if (account.status === 'deleted') {
    return new AccountStateError('deleted');
  }
  return lastAdmins.has(id) ? new LastAdminError() : null;
}
