import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { Account } from '../../users/users.types.js';
import { EmailQuotaService } from '../email/email-quota.service.js';
import { OneTimeTokensService, TOKEN_PURPOSES, type TokenPurpose } from '../tokens/one-time-tokens.service.js';
import { SessionsService } from './sessions.service.js';

/** Which sessions and secrets end, and why. */
export interface AccessRevocation {
  readonly reason: RevocationReason;
  /** The session that goes on. */
  readonly exceptSessionId?: string | undefined;
  /** Mailed secrets that are revoked; all of them by default. */
  readonly secrets?: readonly TokenPurpose[];
}

/** Ends what opens an account without its password: live sessions, and mailed secrets. */
@Injectable()
export class AccessRevocationService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly tokens: OneTimeTokensService,
    private readonly quota: EmailQuotaService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** In the surrounding transaction; the caller records why. @returns how many sessions were live. */
  revoke(userId: string, { reason, exceptSessionId, secrets = TOKEN_PURPOSES }: AccessRevocation): Promise<number> {
    return this.transactions.run(async () => {
      // Sessions first, because that locks the account: a secret that is being made is revoked, too, or not made at all.
      const ended = await this.sessions.revokeAllOf(userId, { reason, exceptSessionId });
      await this.tokens.revokeAllOf(userId, secrets);
      return ended;
    });
  }

  /**
   * What every change of the e-mail address brings with it, in the transaction of the change: sessions and mailed secrets
   * end, and the old one gets a notice.
   * @param before the account as it was.
   */
  async revokeForNewEmail(before: Account, notice: 'email_changed' | 'email_changed_by_admin'): Promise<void> {
    await this.revoke(before.id, { reason: 'email_changed' });
    await this.quota.notify(before, notice);
  }

  /**
   * Ends one session of the person, and a change of the e-mail address that may have begun in it.
   * @throws SessionNotFoundError when it is over, or another person's
   */
  endSession(userId: string, sessionId: string): Promise<void> {
    return this.transactions.run(async () => {
      // First, because that locks the account, as every change of the e-mail address does before anything else.
      await this.sessions.revoke(userId, sessionId);
      await this.tokens.revokeAllOf(userId, ['email_change']);
    });
  }

  /**
   * Ends every session of the person, or every other one, and a change of the e-mail address that may have begun in one
   * of them.
   * @returns how many sessions.
   */
  logoutAll({ userId, sessionId }: Principal, { others }: { others: boolean }): Promise<number> {
    return this.transactions.run(async () => {
      const sessionsEnded = await this.revoke(userId, {
        reason: others ? 'logout_others' : 'logout_all',
        exceptSessionId: others ? sessionId : undefined,
        secrets: ['email_change'],
      });
      await this.audit.record({
        action: 'sessions_revoked',
        entity: { type: 'user', id: userId },
        after: { sessionsEnded, others },
      });
      return sessionsEnded;
    });
  }
}
