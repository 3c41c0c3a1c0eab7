import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../contracts/sessions.js';
import type { PlatformRole } from '../../platform/auth/principal.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { UnlockRestrictionService } from '../auth/passwords/unlock-restriction.service.js';
import { AccessRevocationService } from '../auth/sessions/access-revocation.service.js';
import { UsersService } from '../users/users.service.js';
import type { Account, AccountChanges, InvitedAccount } from '../users/users.types.js';
import { PasswordResetService } from './password-reset.service.js';

/** What administrators do to one account, and what follows for its sessions. */
@Injectable()
export class UserAdminService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly restrictions: UnlockRestrictionService,
    private readonly transactions: Transactions,
    private readonly once: IdempotencyService,
  ) {}

  /**
   * Makes an account and mails its owner a link to choose a password. @returns its id.
   * @throws InvalidAccountError, EmailTakenError, UsernameTakenError
   */
  create(account: InvitedAccount): Promise<string> {
    return this.once.run(async () => {
      const made = await this.users.invite(account);
      await this.passwords.invite(made);
      return made.id;
    });
  }

  /**
   * Another e-mail address ends sessions and mailed secrets; an account without a password is invited again.
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, EmailTakenError, UsernameTakenError, InvalidAccountError
   */
  update(userId: string, changes: AccountChanges, versions?: readonly number[]): Promise<Account> {
    return this.transactions.run(async () => {
      const before = await this.users.lock(userId);
      const after = await this.users.update(userId, changes, versions);
      if (after.email !== before.email) {
        await this.restrictions.markEmailReplaced(userId);
        await this.access.revokeForNewEmail(before, 'email_changed_by_admin');
        if (!after.hasPassword) {
          await this.passwords.invite(after);
        }
      }
      return after;
    });
  }

  /**
   * Ends the sessions, too, because their tokens hold the role.
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, LastAdminError
   */
  changeRole(userId: string, role: PlatformRole, versions?: readonly number[]): Promise<void> {
    return this.transactions.run(async () => {
      const before = await this.users.lock(userId);
      const after = await this.users.changeRole(userId, role, versions);
      if (after.role !== before.role) {
        await this.access.revoke(userId, { reason: 'role_changed', secrets: [] });
      }
    });
  }

  /** Sessions and mailed secrets end with the commit. @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(userId: string): Promise<void> {
    return this.once.change(userId, () => this.endingAccess(userId, 'blocked', () => this.users.block(userId)));
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(userId: string): Promise<void> {
    return this.once.change(userId, () => this.users.unblock(userId));
  }

  /** Can be restored. @throws UserNotFoundError, AccountStateError, LastAdminError, and what features above refuse */
  delete(userId: string): Promise<void> {
    return this.endingAccess(userId, 'account_deleted', () => this.users.delete(userId));
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(userId: string): Promise<void> {
    return this.once.change(userId, () => this.users.restore(userId));
  }

  private endingAccess(userId: string, reason: RevocationReason, work: () => Promise<unknown>): Promise<void> {
    return this.transactions.run(async () => {
      await work();
      await this.access.revoke(userId, { reason });
    });
  }
}
