import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../contracts/sessions.js';
import type { PlatformRole, Principal } from '../../platform/auth/principal.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { UnlockRestrictionService } from '../auth/passwords/unlock-restriction.service.js';
import { AccessRevocationService } from '../auth/sessions/access-revocation.service.js';
import { UsersService } from '../users/users.service.js';
import type { Account, AccountChanges, InvitedAccount } from '../users/users.types.js';
import { AdminAuthorityService } from './admin-authority.service.js';
import { PasswordResetService } from './password-reset.service.js';

/**
 * What administrators do to one account, and what follows for its sessions. All of it throws what AdminAuthorityService
 * throws.
 */
@Injectable()
export class UserAdminService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly restrictions: UnlockRestrictionService,
    private readonly transactions: Transactions,
    private readonly once: IdempotencyService,
    private readonly authority: AdminAuthorityService,
  ) {}

  /**
   * Makes an account and mails its owner a link to choose a password. @returns its id.
   * @throws InvalidAccountError, EmailTakenError, UsernameTakenError
   */
  create(account: InvitedAccount, admin: Principal): Promise<string> {
    return this.authority.exerciseAtEnd(admin, () =>
      this.once.run(async () => {
        const made = await this.users.invite(account);
        await this.passwords.invite(made);
        return made.id;
      }),
    );
  }

  /**
   * Another e-mail address ends sessions and mailed secrets; an account without a password is invited again.
   * @throws UserNotFoundError, AccountChangedError, AccountStateError, EmailTakenError, UsernameTakenError, InvalidAccountError
   */
  update(userId: string, changes: AccountChanges, admin: Principal, versions?: readonly number[]): Promise<Account> {
    return this.authority.exercise(admin, [userId], async () => {
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
  changeRole(userId: string, role: PlatformRole, admin: Principal, versions?: readonly number[]): Promise<void> {
    return this.authority.exercise(admin, [userId], async () => {
      const before = await this.users.lock(userId);
      const after = await this.users.changeRole(userId, role, versions);
      if (after.role !== before.role) {
        await this.access.revoke(userId, { reason: 'role_changed', secrets: [] });
      }
    });
  }

  /** Sessions and mailed secrets end with the commit. @throws UserNotFoundError, AccountStateError, LastAdminError */
  block(userId: string, admin: Principal): Promise<void> {
    return this.change(userId, admin, () => this.endingAccess(userId, 'blocked', () => this.users.block(userId)));
  }

  /** @throws UserNotFoundError, AccountStateError */
  unblock(userId: string, admin: Principal): Promise<void> {
    return this.change(userId, admin, () => this.users.unblock(userId));
  }

  /** Can be restored. @throws UserNotFoundError, AccountStateError, LastAdminError, and what features above refuse */
  delete(userId: string, admin: Principal): Promise<void> {
    return this.authority.exercise(admin, [userId], () => this.deleteOwn(userId));
  }

  /** As {@link delete}, by the person whose account it is: the caller has verified the password. */
  deleteOwn(userId: string): Promise<void> {
    return this.endingAccess(userId, 'account_deleted', () => this.users.delete(userId));
  }

  /** @throws UserNotFoundError, AccountStateError */
  restore(userId: string, admin: Principal): Promise<void> {
    return this.change(userId, admin, () => this.users.restore(userId));
  }

  /** Once for one idempotency key. */
  private change(userId: string, admin: Principal, work: () => Promise<unknown>): Promise<void> {
    return this.authority.exercise(admin, [userId], () => this.once.change(userId, work));
  }

  private endingAccess(userId: string, reason: RevocationReason, work: () => Promise<unknown>): Promise<void> {
    return this.transactions.run(async () => {
      await work();
      await this.access.revoke(userId, { reason });
    });
  }
}
