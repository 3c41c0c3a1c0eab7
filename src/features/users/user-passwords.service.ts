import { Injectable } from '@nestjs/common';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { BusyError } from '../../platform/crypto/semaphore.js';
import { commonPasswords } from './common-passwords.js';
import { fold } from './domain/names.js';
import { normalizePassword, passwordFault, type PasswordOwner } from './domain/password-policy.js';
import { type StoredPassword, UserPasswordsRepository } from './user-passwords.repository.js';
import { UserNotFoundError, WeakPasswordError } from './users.errors.js';
import type { PasswordState } from './users.types.js';

/** What proves people. A hash that opens something never leaves this feature. */
@Injectable()
export class UserPasswordsService {
  constructor(
    private readonly repository: UserPasswordsRepository,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * Hashes a new password. It takes a while: do it before the transaction, not inside.
   * @param member what the request calls it, for the error.
   * @throws WeakPasswordError, BusyError
   */
  async hash(password: string, owner: PasswordOwner, member = 'password'): Promise<string> {
    const normalized = normalizePassword(password);
    const fault = passwordFault(normalized, owner, await commonPasswords());
    if (fault !== null) {
      throw new WeakPasswordError(fault, `/${member}`);
    }
    return this.hasher.hash(normalized);
  }

  /**
   * The person behind an e-mail address or username, if the password is theirs; null after the same time otherwise. A
   * hash with outdated parameters is replaced.
   * @throws BusyError when too many passwords are being checked
   */
  async prove(identifier: string, password: string): Promise<PasswordState | null> {
    return this.verified(await this.repository.findByName(fold(identifier)), password);
  }

  /** This person, if the password is theirs; null after the same time otherwise. @throws BusyError */
  async proveUser(userId: string, password: string): Promise<PasswordState | null> {
    return this.verified(await this.repository.findById(userId), password);
  }

  /**
   * Keeps the account as it is until the end of the transaction.
   * @returns false when its password was changed since `person` was proven, or the account blocked or deleted.
   */
  hold({ userId, changedAt }: PasswordState): Promise<boolean> {
    return this.repository.hold(userId, changedAt);
  }

  /** Whether it is the password behind a hash of an account that is yet to be, or of one that was used up. @throws BusyError */
  matches(passwordHash: string, password: string): Promise<boolean> {
    return this.hasher.verify(passwordHash, normalizePassword(password));
  }

  /**
   * Uses a one-time password up: of any number of logins with it, one.
   * @returns its hash, by which nobody chooses it again; null when another login came first.
   */
  useUp({ userId, changedAt }: PasswordState): Promise<string | null> {
    return this.repository.useUp(userId, changedAt);
  }

  async stateOf(identifier: string): Promise<PasswordState | null> {
    const stored = await this.repository.findByName(fold(identifier));
    return stored && toState(stored);
  }

  /** @throws UserNotFoundError */
  async stateOfUser(userId: string): Promise<PasswordState> {
    const stored = await this.repository.findById(userId);
    if (!stored) {
      throw new UserNotFoundError(userId);
    }
    return toState(stored);
  }

  /**
   * @param passwordHash of {@link hash}; null: none fits, until the person chose one by a mailed link.
   * @throws UserNotFoundError
   */
  async store(userId: string, passwordHash: string | null, { mustChange = false } = {}): Promise<void> {
    if (!(await this.repository.store(userId, passwordHash, mustChange))) {
      throw new UserNotFoundError(userId);
    }
  }

  /**
   * Counts a login, in the transaction that opens its session.
   * @returns false when the password was changed since `person` was proven.
   */
  noteLogin({ userId, changedAt }: PasswordState): Promise<boolean> {
    return this.repository.noteLogin(userId, changedAt);
  }

  private async verified(stored: StoredPassword | null, password: string): Promise<PasswordState | null> {
    const normalized = normalizePassword(password);
    const hash = stored?.passwordHash ?? null;
    if (!(await this.hasher.verify(hash, normalized)) || !stored || hash === null) {
      return null;
    }
    await this.harden(stored.userId, hash, normalized);
    return toState(stored);
  }

  private async harden(userId: string, hash: string, password: string): Promise<void> {
    if (!this.hasher.isOutdated(hash)) {
      return;
    }
    try {
      await this.repository.rehash(userId, hash, await this.hasher.hash(password));
    } catch (error) {
      // The next login will do: the password was right.
      if (!(error instanceof BusyError)) {
        throw error;
      }
    }
  }
}

function toState({ userId, changedAt, ageMs, mustChange, blocked }: StoredPassword): PasswordState {
  return { userId, changedAt, ageMs, mustChange, blocked };
}
