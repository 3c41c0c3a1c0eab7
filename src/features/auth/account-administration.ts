import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../contracts/sessions.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import type { InvitedAccount } from '../users/users.types.js';
import { AccountHooks } from './account-hooks.js';
import { PasswordAdministration } from './password-administration.js';
import { SessionsService } from './sessions.service.js';

/** What administrators do to one account, together with what it means for its sessions. */
@Injectable()
export class AccountAdministration {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly passwords: PasswordAdministration,
    private readonly transactions: Transactions,
    private readonly idempotency: Idempotency,
    private readonly hooks: AccountHooks,
  ) {}

  /**
   * Makes an account and mails its owner a link to choose a password. @returns its id.
   * @throws InvalidAccountError, EmailTakenError, UsernameTakenError
   */
  create(account: InvitedAccount): Promise<string> {
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        const { id } = await this.users.accounts.inviteOne(account);
        await this.passwords.invite(id);
        return id;
      });
      return id;
    });
  }

  /**
   * Ends the sessions, too: their tokens say what the role was.
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, LastAdminError
   */
  changeRole(userId: string, role: PlatformRole, version?: number): Promise<void> {
    return this.endingSessions(userId, 'role_changed', () => this.users.accounts.changeRole(userId, role, version));
  }

  /** At once: sessions end with the commit. @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(userId: string): Promise<void> {
    return this.onceOf(userId, () => this.endingSessions(userId, 'blocked', () => this.users.accounts.block(userId)));
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(userId: string): Promise<void> {
    return this.onceOf(userId, () => this.users.accounts.unblock(userId));
  }

  /** Can be restored. @throws UserNotFoundError, AccountStateError, LastAdminError, and what the hooks refuse */
  delete(userId: string): Promise<void> {
    return this.endingSessions(userId, 'account_deleted', () =>
      this.users.accounts.delete(userId, (ids) => this.hooks.refusals(ids)),
    );
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(userId: string): Promise<void> {
    return this.onceOf(userId, () => this.users.accounts.restore(userId));
  }

  private onceOf(userId: string, work: () => Promise<unknown>): Promise<void> {
    return this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        await work();
        return userId;
      });
    });
  }

  private endingSessions(userId: string, reason: RevocationReason, work: () => Promise<unknown>): Promise<void> {
    return this.transactions.run(async () => {
      await work();
      await this.sessions.revokeAllOf(userId, { reason });
    });
  }
}
