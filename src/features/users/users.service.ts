import { Injectable } from '@nestjs/common';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { AccountsService } from './accounts.service.js';
import { AddressCorrections } from './address-corrections.js';
import { fold, isEmail, localPart, nameFaults } from './domain/names.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { InvalidAccountError, UserNotFoundError } from './users.errors.js';
import { type UserName, UsersRepository } from './users.repository.js';
import type { Account, NewUser, PreparedAccount, User } from './users.types.js';

/** Accounts: who there is, and whether a password is theirs. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    readonly passwords: UserPasswordsService,
    /** What administrators and owners change of accounts that exist. */
    readonly accounts: AccountsService,
    readonly corrections: AddressCorrections,
  ) {}

  /**
   * Makes an account, with role `USER` unless told otherwise.
   * @throws WeakPasswordError, InvalidAccountError, EmailTakenError, UsernameTakenError
   * @throws BusyError when too many passwords are being hashed
   */
  async create(account: NewUser): Promise<User> {
    return this.createPrepared(await this.prepare(account), account.role);
  }

  /**
   * Checks an account to be, and hashes its password, which takes a while: before the transaction, not inside.
   * @throws WeakPasswordError, InvalidAccountError, BusyError
   */
  async prepare(account: Omit<NewUser, 'role'>): Promise<PreparedAccount> {
    const email = fold(account.email);
    const username = account.username === undefined ? null : fold(account.username);
    const faults = nameFaults(email, username);
    if (faults.length > 0) {
      throw new InvalidAccountError(faults);
    }
    const displayName = account.displayName?.normalize('NFC').trim() ?? username ?? localPart(email);
    const passwordHash = await this.passwords.hash(account.password, { email, username, displayName });
    return { email, username, displayName, passwordHash };
  }

  /** @throws EmailTakenError, UsernameTakenError */
  createPrepared(account: PreparedAccount, role: PlatformRole = 'USER'): Promise<User> {
    return this.repository.create({ ...account, role });
  }

  /** The person behind an e-mail address or username, in any case and spelling. */
  findByIdentifier(identifier: string): Promise<User | null> {
    return this.repository.findByName(nameOf(identifier));
  }

  /** The same, unless the account was deleted. */
  findOpenByIdentifier(identifier: string): Promise<User | null> {
    return this.repository.findByName({ ...nameOf(identifier), deletedAt: null });
  }

  /** The whole account. @throws UserNotFoundError */
  getAccount(id: string): Promise<Account> {
    return this.accounts.get(id);
  }

  /** Whether this person is an administrator now, whatever their token says. */
  async isAdmin(id: string): Promise<boolean> {
    return (await this.repository.findById(id))?.role === 'ADMIN';
  }

  /** @throws UserNotFoundError */
  async get(id: string): Promise<User> {
    const user = await this.repository.findById(id);
    if (!user) {
      throw new UserNotFoundError(id);
    }
    return user;
  }
}

function nameOf(identifier: string): UserName {
  const name = fold(identifier);
  return isEmail(name) ? { email: name } : { username: name };
}
