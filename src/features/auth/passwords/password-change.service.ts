import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { UsersService } from '../../users/users.service.js';
import { KnownDevicesService } from '../login/known-devices.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { AccessRevocationService } from '../sessions/access-revocation.service.js';

export type PasswordToken = 'password_reset' | 'set_password' | 'password_change';

/** A password that is to be another from now on. */
export interface PasswordChange {
  readonly userId: string;
  /** Null: none fits, until its owner chose one by a mailed link. */
  readonly passwordHash: string | null;
  readonly reason: 'password_changed' | 'password_reset';
  /** It is good for being changed, and nothing else. */
  readonly mustChange?: boolean;
  /** Used up by the change. */
  readonly redeems?: { readonly purpose: PasswordToken; readonly token: string };
  /** The session that goes on; all others end. */
  readonly exceptSessionId?: string;
  /** What happens last, in the same transaction. */
  readonly andThen: () => Promise<void>;
}

/** What every change of a password brings with it, in one transaction. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly users: UsersService,
    private readonly access: AccessRevocationService,
    private readonly tokens: OneTimeTokensService,
    private readonly devices: KnownDevicesService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Ends sessions and every secret that was mailed, and records it.
   * @returns the token by which the device that did it stays known.
   * @throws UserNotFoundError, InvalidOneTimeTokenError, LastAdminError
   */
  apply(change: PasswordChange): Promise<string> {
    const { userId, passwordHash, reason, mustChange = false, redeems, exceptSessionId, andThen } = change;
    return this.transactions.run(async () => {
      // The account first, as everything that gives out or ends access to it does: nobody waits in a circle.
      const account = await this.users.accounts.hold(userId);
      if (passwordHash === null || mustChange) {
        await this.users.accounts.keepAnAdminBeside(account);
      }
      if (redeems) {
        await this.tokens.redeem(redeems.purpose, redeems.token);
      }
      const sessionsEnded = await this.access.end(userId, { reason, exceptSessionId });
      await this.users.passwords.store(userId, passwordHash, { mustChange });
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { sessionsEnded, mustChange } });
      await andThen();
      return this.devices.issue(await this.users.passwords.stateOfUser(userId));
    });
  }
}
