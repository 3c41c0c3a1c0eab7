import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import { UsersService } from '../../users/users.service.js';
import { KnownDevicesService } from '../login/known-devices.service.js';
import { AccessRevocationService } from '../sessions/access-revocation.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

export type PasswordToken = 'password_reset' | 'set_password' | 'password_change';

export interface PasswordChange {
  readonly userId: string;
  /** Null: no password fits until the owner chose one by a mailed link. */
  readonly passwordHash: string | null;
  readonly reason: 'password_changed' | 'password_reset';
  /** A login with it may only choose another one. */
  readonly mustChange?: boolean;
  /** Consumed by the change. */
  readonly redeems?: { readonly purpose: PasswordToken; readonly token: string };
  /** The session that goes on; all others end. */
  readonly exceptSessionId?: string;
}

/** What every change of a password brings with it, in one transaction. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
    private readonly access: AccessRevocationService,
    private readonly tokens: OneTimeTokensService,
    private readonly devices: KnownDevicesService,
    private readonly mailer: Mailer,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Ends sessions and every mailed secret, records the change, and mails the owner a notice, unless the password was only
   * taken away: then the caller mails a link.
   * @returns the token by which the device that did it stays known.
   * @throws UserNotFoundError, InvalidOneTimeTokenError, LastAdminError
   */
  apply(change: PasswordChange): Promise<string> {
    const { userId, passwordHash, reason, mustChange = false, redeems, exceptSessionId } = change;
    return this.transactions.run(async () => {
      // The account is locked first, as by everything else that gives or ends access, so that two of these never deadlock.
      const account = await this.users.lock(userId);
      if (passwordHash === null || mustChange) {
        await this.users.requireOtherAdmin(
          account,
          'This is the last administrator who can sign in. Use POST /auth/password instead.',
        );
      }
      if (redeems) {
        await this.tokens.redeem(redeems.purpose, redeems.token);
      }
      const sessionsEnded = await this.access.revoke(userId, { reason, exceptSessionId });
      await this.passwords.store(userId, passwordHash, { mustChange });
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { sessionsEnded, mustChange } });
      if (passwordHash !== null) {
        const values = { displayName: account.displayName, notice: reason };
        await this.mailer.enqueue({ to: account.email, template: 'security_notice', values });
      }
      return this.devices.issue(await this.passwords.getState(userId));
    });
  }
}
