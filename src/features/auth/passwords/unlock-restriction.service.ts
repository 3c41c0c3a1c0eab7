import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { canAct } from '../../users/account-standing.types.js';
import { UsersService } from '../../users/users.service.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { UnlockRestrictionsRepository } from './unlock-restrictions.repository.js';

/** As long as the restriction that it lifts. */
const CONFIRM_TTL_MS = 24 * 3_600_000;

/** The secret that a password was chosen by: a one-time password of an administrator, or a link mailed to the account. */
export type HandedOutSecret = 'one_time_password' | 'mailed_link';

/** What a password that was just chosen means for unlocking. */
export interface UnlockVerdict {
  /** The account unlocks no door for a day. */
  readonly restricted: boolean;
  /** Lifts that at once; null where the account has no e-mail address that it has held for seven days. */
  readonly confirmation: string | null;
}

/**
 * Keeps administrators from doors. Who resets a password, or replaces an e-mail address and resets by a link, can sign in
 * as that person: for 24 hours after such a password was chosen, the account unlocks nothing. A link that was mailed to an
 * address the account has held for seven days lifts that, because no administrator reads the mail there.
 */
@Injectable()
export class UnlockRestrictionService {
  constructor(
    private readonly repository: UnlockRestrictionsRepository,
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokensService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** In the transaction that stores the password, after older secrets were revoked. */
  async judge(userId: string, secret: HandedOutSecret): Promise<UnlockVerdict> {
    const { restricted, emailHeld } = await this.repository.judge(userId, secret === 'one_time_password');
    const confirmation =
      restricted && emailHeld
        ? await this.tokens.issue('unlock_confirmation', { userId, payload: {}, ttlMs: CONFIRM_TTL_MS })
        : null;
    return { restricted, confirmation };
  }

  /** By the link that was mailed with a restriction. @throws InvalidOneTimeTokenError */
  async confirm(token: string): Promise<void> {
    const { userId } = await this.tokens.find(['unlock_confirmation'], token);
    setAuditTarget({ type: 'user', id: userId });
    await this.transactions.run(async () => {
      const account = await this.users.lock(userId);
      await this.tokens.redeem('unlock_confirmation', token);
      if (!canAct(account)) {
        throw new InvalidOneTimeTokenError();
      }
      await this.repository.lift(userId);
      await this.audit.record({ actor: `user:${userId}`, entity: { type: 'user', id: userId } });
    });
  }

  /** In the transaction in which an administrator replaced the e-mail address of an account. */
  markEmailReplaced(userId: string): Promise<void> {
    return this.repository.markEmailReplaced(userId);
  }
}
