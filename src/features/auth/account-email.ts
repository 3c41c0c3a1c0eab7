import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../platform/audit/audit-trail.js';
import { requestContext } from '../../platform/context/request-context.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import { OneTimeTokens } from './one-time-tokens.js';

const CONFIRM_WITHIN_MS = 24 * 3_600_000;

/** Changing one's e-mail address: it is another one when a link mailed there was followed. */
@Injectable()
export class AccountEmail {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokens,
    private readonly mailer: Mailer,
    private readonly transactions: Transactions,
    private readonly audit: AuditTrail,
    private readonly idempotency: Idempotency,
  ) {}

  /** Mails a link to the new address. To one that belongs to somebody nothing is sent, and nothing tells so. */
  async request(userId: string, email: string): Promise<void> {
    await this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        await this.mailLink(userId, email);
        return userId;
      });
    });
  }

  /** Makes the address theirs, and tells the old one. @throws InvalidOneTimeTokenError, EmailTakenError */
  confirm(token: string): Promise<void> {
    return this.transactions.run(async () => {
      const { userId, payload } = await this.tokens.redeem('email_change', token);
      if (userId === null) {
        throw new Error('A token for a new address belongs to nobody.');
      }
      const context = requestContext();
      if (context) {
        context.actor = `user:${userId}`;
      }
      const { email, displayName } = await this.users.get(userId);
      await this.users.accounts.update(userId, { email: payload.email });
      // Links mailed to the old address open nothing any more.
      await this.tokens.revokeAllOf(userId, ['password_reset', 'set_password', 'email_change']);
      await this.mailer.enqueue({
        to: email,
        template: 'security_notice',
        values: { displayName, notice: 'email_changed' },
      });
    });
  }

  private async mailLink(userId: string, email: string): Promise<void> {
    const [{ displayName }, owner] = await Promise.all([this.users.get(userId), this.users.findByIdentifier(email)]);
    await this.tokens.revokeAllOf(userId, ['email_change']);
    const token = await this.tokens.issue('email_change', { userId, payload: { email }, ttlMs: CONFIRM_WITHIN_MS });
    const mail = { to: email, template: 'email_change', values: { displayName, token } } as const;
    await (owner ? this.mailer.pretend(mail) : this.mailer.enqueue(mail));
    await this.audit.record({ entity: { type: 'user', id: userId }, after: { email } });
  }
}
