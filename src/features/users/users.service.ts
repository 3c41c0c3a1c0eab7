import { Injectable } from '@nestjs/common';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { fold, isEmail, localPart, nameFaults } from './domain/names.js';
import { normalizePassword, passwordFault } from './domain/password-policy.js';
import { InvalidAccountError, UserNotFoundError, WeakPasswordError } from './users.errors.js';
import { type UserName, UsersRepository } from './users.repository.js';
import type { NewUser, User } from './users.types.js';

/** Accounts: who there is, and whether a password is theirs. */
@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly passwords: PasswordHasher,
  ) {}

  /**
   * Makes an account, with role `USER` unless told otherwise.
   * @throws WeakPasswordError, InvalidAccountError, EmailTakenError, UsernameTakenError
   * @throws BusyError when too many passwords are being hashed
   */
  async create(account: NewUser): Promise<User> {
    const email = fold(account.email);
    const username = account.username === undefined ? null : fold(account.username);
    const faults = nameFaults(email, username);
    if (faults.length > 0) {
      throw new InvalidAccountError(faults);
    }
    const password = normalizePassword(account.password);
    const fault = passwordFault(password, { email, username });
    if (fault !== null) {
      throw new WeakPasswordError(fault);
    }
    return this.repository.create({
      email,
      username,
      displayName: account.displayName?.normalize('NFC').trim() ?? username ?? localPart(email),
      role: account.role ?? 'USER',
      passwordHash: await this.passwords.hash(password),
    });
  }

  /** The person behind an e-mail address or username, in any case and spelling. */
  findByIdentifier(identifier: string): Promise<User | null> {
    return this.repository.findByName(nameOf(identifier));
  }

  /**
   * The person behind an identifier, if the password is theirs. An unknown identifier takes just as long as a wrong
   * password.
   * @throws BusyError when too many passwords are being checked
   */
  async authenticate(identifier: string, password: string): Promise<User | null> {
    const credentials = await this.repository.findCredentials(nameOf(identifier));
    const matches = await this.passwords.verify(credentials?.passwordHash ?? null, normalizePassword(password));
    return matches ? (credentials?.user ?? null) : null;
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
