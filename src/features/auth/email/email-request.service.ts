import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Idempotency } from '../../../platform/idempotency/idempotency.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { UsersService } from '../../users/users.service.js';
import { WrongPasswordError } from '../auth.errors.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { ReauthenticationService } from '../login/reauthentication.service.js';

const CONFIRM_WITHIN_MS = 24 * 3_600_000;

/** Asking for another e-mail address: it is another one when a link mailed there was followed. */
@Injectable()
export class EmailRequestService {
  constructor(
    private readonly users: UsersService,
    private readonly reauthentication: ReauthenticationService,
    private readonly tokens: OneTimeTokensService,
    private readonly mailer: Mailer,
    private readonly once: Idempotency,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Mails a link to the new address, and tells the old one. To an address that belongs to somebody no link is sent, and
   * nothing tells so.
   * @throws WrongPasswordError, LoginThrottledError, BusyError
   */
  async request(principal: Principal, email: string, password: string): Promise<void> {
    const proof = await this.reauthentication.prove(principal, password);
    await this.once.run(async () => {
      if (!(await this.users.passwords.hold(proof))) {
        // Changed since it was looked at: it would be a link that the change did not end.
        throw new WrongPasswordError();
      }
      await this.mailLink(proof.userId, email);
      return proof.userId;
    });
  }

  private async mailLink(userId: string, email: string): Promise<void> {
    const [{ displayName, email: old }, owner] = await Promise.all([
      this.users.get(userId),
      this.users.findByIdentifier(email),
    ]);
    await this.tokens.revokeAllOf(userId, ['email_change']);
    const token = await this.tokens.issue('email_change', { userId, payload: { email }, ttlMs: CONFIRM_WITHIN_MS });
    const mail = { to: email, template: 'email_change', values: { displayName, token } } as const;
    await (owner ? this.mailer.pretend(mail) : this.mailer.enqueue(mail));
    await this.mailer.enqueue({
      to: old,
      template: 'security_notice',
      values: { displayName, notice: 'email_change_requested' },
    });
    await this.audit.record({ entity: { type: 'user', id: userId }, after: { email } });
  }
}
