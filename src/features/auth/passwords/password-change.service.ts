import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import { UsersService } from '../../users/users.service.js';
import type { Account } from '../../users/users.types.js';
import { canAct } from '../../users/account-standing.types.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import type { SecurityNotice } from '../auth.mail.js';
import { EmailQuotaService } from '../email/email-quota.service.js';
import { KnownDevicesService } from '../login/known-devices.service.js';
import { AccessRevocationService } from '../sessions/access-revocation.service.js';
import { type HandedOutSecret, UnlockRestrictionService } from './unlock-restriction.service.js';

/** By what a password is changed: the one before it, a secret that was handed out, or an administrator's decision. */
export type PasswordAuthority = 'last_password' | HandedOutSecret | 'administrator';

export interface PasswordChange {
  readonly userId: string;
  /** Null: no password fits until the owner chose one by a mailed link. */
  readonly passwordHash: string | null;
  readonly authority: PasswordAuthority;
  /**
   * Called once the account is locked: holds the proof, or consumes the token, that the change is made on, and throws when
   * it no longer stands. Hashing took a while, and whatever committed meanwhile comes first.
   */
  readonly claim?: () => Promise<unknown>;
  /** A login with it may only choose another one. */
  readonly mustChange?: boolean;
  /** The session that goes on; all others end. */
  readonly exceptSessionId?: string;
}

const REASONS: Readonly<Record<PasswordAuthority, RevocationReason & SecurityNotice>> = {
  last_password: 'password_changed',
  one_time_password: 'password_changed',
  mailed_link: 'password_reset',
  administrator: 'password_reset',
};

/** What every change of a password brings with it, in one transaction. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
    private readonly access: AccessRevocationService,
    private readonly devices: KnownDevicesService,
    private readonly restrictions: UnlockRestrictionService,
    private readonly quota: EmailQuotaService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Ends sessions and every mailed secret, records the change, and mails the owner a notice, unless the password was only
   * taken away: then the caller mails a link.
   * @returns the token by which the device that did it stays known.
   * @throws UserNotFoundError, LastAdminError, and what `claim` throws; InvalidOneTimeTokenError when the account cannot act,
   *   and it is no administrator who changes it: a link is good again once it is unblocked
   */
  apply(change: PasswordChange): Promise<string> {
    const { userId, passwordHash, authority, claim, mustChange = false, exceptSessionId } = change;
    return this.transactions.run(async () => {
      // The account is locked first, as by everything else that gives or ends access, so that two of these never deadlock.
      const account = await this.users.lock(userId);
      if (passwordHash === null || mustChange) {
        await this.users.requireOtherAdmin(
          account,
          'This is the last administrator who can sign in. Use POST /auth/password instead.',
        );
      }
      await claim?.();
      if (authority !== 'administrator' && !canAct(account)) {
        throw new InvalidOneTimeTokenError();
      }
      const sessionsEnded = await this.access.revoke(userId, { reason: REASONS[authority], exceptSessionId });
      await this.passwords.store(userId, passwordHash, { mustChange });
      const unlockRestricted = await this.tellOwner(account, change);
      await this.audit.record({
        entity: { type: 'user', id: userId },
        after: { sessionsEnded, mustChange, unlockRestricted },
      });
      return this.devices.renew(await this.passwords.getState(userId), exceptSessionId);
    });
  }

  /** @returns whether the account unlocks no door for a day. */
  private async tellOwner(account: Account, { authority, passwordHash }: PasswordChange): Promise<boolean> {
    if (authority === 'administrator') {
      if (passwordHash !== null) {
        await this.quota.notify(account, 'password_reset_by_admin');
      }
      return false;
    }
    const { id, email: to, displayName } = account;
    const { restricted, confirmation } =
      authority === 'last_password'
        ? { restricted: false, confirmation: null }
        : await this.restrictions.judge(id, authority);
    if (confirmation !== null) {
      const values = { displayName, token: confirmation };
      await this.quota.send({ to, template: 'unlock_confirmation', values }, { really: true });
    } else {
      await this.quota.notify(account, restricted ? 'unlock_restricted' : REASONS[authority]);
    }
    return restricted;
  }
}
