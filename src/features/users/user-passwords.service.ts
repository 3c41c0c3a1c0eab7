import { Injectable } from '@nestjs/common';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { BusyError } from '../../platform/process/semaphore.js';
import { canonicalIdentifier } from '../../shared/identifiers.js';
import { commonPasswords } from './common-passwords.js';
import { normalizePassword, passwordFault, type PasswordOwner } from './domain/password-policy.js';
import { type StoredPassword, UserPasswordsRepository } from './user-passwords.repository.js';
import { UserNotFoundError, WeakPasswordError } from './users.errors.js';
import type { PasswordState, User } from './users.types.js';

/** Passwords of people. The hash of one that is in use never leaves this feature. */
@Injectable()
export class UserPasswordsService {
  constructor(
    private readonly repository: UserPasswordsRepository,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * Hashes a new password. Hashing takes long: call this before the transaction, not inside.
   * @param member what the request calls it, for the error.
   * @throws WeakPasswordError, BusyError
   */
  async hash(password: string, owner: PasswordOwner, member = 'password'): Promise<string> {
    const normalized = normalizePassword(password);
    const fault = passwordFault(normalized, owner, await commonPasswords());
    if (fault !== null) {
      throw new WeakPasswordError(fault, member);
    }
    return this.hasher.hash(normalized);
  }

  /**
   * Verifies the password of the account behind an e-mail address or username. A hash with outdated parameters is replaced.
   * @returns null when the account does not exist or the password is wrong, after the same time.
   * @throws BusyError when too many passwords are being checked
   */
  async verify(identifier: string, password: string): Promise<PasswordState | null> {
    return this.verifyStored(await this.repository.findByName(canonicalIdentifier(identifier)), password);
  }

  /** As {@link verify}, for an account by its id. @throws BusyError */
  async verifyUser(userId: string, password: string): Promise<PasswordState | null> {
    return this.verifyStored(await this.repository.findById(userId), password);
  }

  /** Verifies a password against a hash that no account has: of one to be made, or of a one-time password. @throws BusyError */
  matches(passwordHash: string, password: string): Promise<boolean> {
    return this.hasher.verify(passwordHash, normalizePassword(password));
  }

  /**
   * Locks the account until the end of the transaction.
   * @returns false when its password was changed since it was verified, or the account is blocked or deleted.
   */
  lock({ userId, changedAt }: PasswordState): Promise<boolean> {
    return this.repository.lock(userId, changedAt);
  }

  /**
   * Takes a one-time password away. Of any number of logins with it at once, one gets it.
   * @returns its hash, so that it is not chosen again; null when another login came first.
   */
  consumeOneTimePassword({ userId, changedAt }: PasswordState): Promise<string | null> {
    return this.repository.consumeOneTimePassword(userId, changedAt);
  }

  /** By e-mail address or username. */
  async findState(identifier: string): Promise<PasswordState | null> {
    const stored = await this.repository.findByName(canonicalIdentifier(identifier));
    return stored && toState(stored);
  }

  /** @throws UserNotFoundError */
  async getState(userId: string): Promise<PasswordState> {
    const stored = await this.repository.findById(userId);
    if (!stored) {
      throw new UserNotFoundError(userId);
    }
    return toState(stored);
  }

  /**
   * @param passwordHash of {@link hash}; null: no password fits until the person chose one by a mailed link.
   * @throws UserNotFoundError
   */
  async store(userId: string, passwordHash: string | null, { mustChange = false } = {}): Promise<void> {
    if (!(await this.repository.store(userId, passwordHash, mustChange))) {
      throw new UserNotFoundError(userId);
    }
  }

  /**
   * Counts a login and locks the account, in the transaction that opens the session.
   * @returns the person; null when the password was changed since it was verified.
   */
  recordLogin({ userId, changedAt }: PasswordState): Promise<User | null> {
    return this.repository.recordLogin(userId, changedAt);
  }

  private async verifyStored(stored: StoredPassword | null, password: string): Promise<PasswordState | null> {
    const normalized = normalizePassword(password);
    const hash = stored?.passwordHash ?? null;
    if (!(await this.hasher.verify(hash, normalized)) || !stored || hash === null) {
      return null;
    }
    await this.rehash(stored.userId, hash, normalized);
    return toState(stored);
  }

  private async rehash(userId: string, hash: string, password: string): Promise<void> {
    if (!this.hasher.isOutdated(hash)) {
      return;
    }
    try {
      await this.repository.rehash(userId, hash, await this.hasher.hash(password));
    } catch (error) {
      // The password was right, so the login goes on; the next one tries again.
      if (!(error instanceof BusyError)) {
        throw error;
      }
    }
  }
}

function toState(stored: StoredPassword): PasswordState {
  const { userId, email, username, changedAt, ageMs, mustChange, blocked } = stored;
  return { userId, email, username, changedAt, ageMs, mustChange, blocked };
}
