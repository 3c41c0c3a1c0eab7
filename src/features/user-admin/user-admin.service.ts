import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../contracts/sessions.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import type { InvitedAccount } from '../users/users.types.js';
import { PasswordResetService } from '../auth/passwords/password-reset.service.js';
import { AccessRevocationService } from '../auth/sessions/access-revocation.service.js';

/** What administrators do to one account, together with what it means for its sessions. */
@Injectable()
export class UserAdminService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly transactions: Transactions,
    private readonly once: Idempotency,
  ) {}

  /**
   * Makes an account and mails its owner a link to choose a password. @returns its id.
   * @throws InvalidAccountError, EmailTakenError, UsernameTakenError
   */
  create(account: InvitedAccount): Promise<string> {
    return this.once.run(async () => {
      const { id } = await this.users.accounts.inviteOne(account);
      await this.passwords.invite(id);
      return id;
    });
  }

  /**
   * Ends the sessions, too: their tokens say what the role was.
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, LastAdminError
   */
  changeRole(userId: string, role: PlatformRole, version?: number): Promise<void> {
    return this.transactions.run(async () => {
      const before = await this.users.accounts.hold(userId);
      const after = await this.users.accounts.changeRole(userId, role, version);
      if (after.role !== before.role) {
        await this.access.end(userId, { reason: 'role_changed', secrets: [] });
      }
    });
  }

  /** At once: sessions and mailed links end with the commit. @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(userId: string): Promise<void> {
    return this.once.change(userId, () =>
      this.endingAccess(userId, 'blocked', () => this.users.accounts.block(userId)),
    );
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(userId: string): Promise<void> {
    return this.once.change(userId, () => this.users.accounts.unblock(userId));
  }

  /** Can be restored. @throws UserNotFoundError, AccountStateError, LastAdminError, and what the hooks refuse */
  delete(userId: string): Promise<void> {
    return this.endingAccess(userId, 'account_deleted', () => this.users.accounts.delete(userId));
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(userId: string): Promise<void> {
    return this.once.change(userId, () => this.users.accounts.restore(userId));
  }

  private endingAccess(userId: string, reason: RevocationReason, work: () => Promise<unknown>): Promise<void> {
    return this.transactions.run(async () => {
      await work();
      await this.access.end(userId, { reason });
    });
  }
}
