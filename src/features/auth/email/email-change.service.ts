import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { ReauthenticationService } from '../login/reauthentication.service.js';
import { AccessRevocationService } from '../sessions/access-revocation.service.js';
import { EmailQuotaService } from './email-quota.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

const CONFIRM_TTL_MS = 24 * 3_600_000;

/** A change of an e-mail address: a person asks for it and confirms it by a mailed link, or an administrator makes it. */
@Injectable()
export class EmailChangeService {
  constructor(
    private readonly users: UsersService,
    private readonly reauthentication: ReauthenticationService,
    private readonly tokens: OneTimeTokensService,
    private readonly access: AccessRevocationService,
    private readonly quota: EmailQuotaService,
    private readonly once: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Mails a link to the new e-mail address, and a notice to the old one. If the new one belongs to another account, no
   * link is sent, and the answer does not tell.
   * @throws WrongPasswordError, SessionEndedError, LoginThrottledError, BusyError, EmailQuotaExceededError
   */
  async request(principal: Principal, email: string, password: string): Promise<void> {
    const proof = await this.reauthentication.verifyPassword(principal, password);
    await this.once.change(principal.userId, async () => {
      await this.reauthentication.hold(proof);
      await this.mailLink(principal.userId, email);
    });
  }

  /** By the link that was mailed to the new e-mail address. @throws InvalidOneTimeTokenError, EmailTakenError */
  async confirm(token: string): Promise<void> {
    const { userId } = await this.tokens.find(['email_change'], token);
    const context = requestContext();
    if (context) {
      context.actor = `user:${userId}`;
    }
    await this.transactions.run(async () => {
      const before = await this.users.lock(userId);
      const { payload } = await this.tokens.redeem('email_change', token);
      if (before.status !== 'active') {
        throw new InvalidOneTimeTokenError();
      }
      await this.users.update(userId, { email: payload.email });
      await this.access.revokeForNewEmail(before, 'email_changed');
    });
  }

  private async mailLink(userId: string, email: string): Promise<void> {
    const [{ displayName, email: old }, owner] = await Promise.all([
      this.users.get(userId),
      this.users.findByIdentifier(email),
    ]);
    await this.quota.require(email);
    await this.tokens.revokeAllOf(userId, ['email_change']);
    const token = await this.tokens.issue('email_change', { userId, payload: { email }, ttlMs: CONFIRM_TTL_MS });
    const mail = { to: email, template: 'email_change', values: { displayName, token } } as const;
    await this.quota.send(mail, { really: owner === null });
    await this.quota.notify({ email: old, displayName }, 'email_change_requested');
    await this.audit.record({ entity: { type: 'user', id: userId }, after: { email } });
  }
}
