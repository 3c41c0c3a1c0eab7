import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime } from '../../../platform/crypto/digest.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { MailSuppressionReason } from '../notifications.types.js';
import type { MailEvent } from './mail-events.js';
import { MailSuppressionsRepository } from './mail-suppressions.repository.js';

/** Why no notifications are mailed to a person, and since when that is known. */
export interface MailSuppressionNotice {
  readonly reason: MailSuppressionReason;
  readonly reportedAt: Date;
}

/** Addresses of accounts to which no notifications are mailed. Mails that a person asks for, as for a new password, still are. */
@Injectable()
export class MailSuppressionsService {
  readonly #key: Buffer;

  constructor(
    private readonly suppressions: MailSuppressionsRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    config: AppConfig,
  ) {
    this.#key = deriveKey(config.masterKey(), 'hash_mail_addresses');
  }

  /** Of those of these people to whom none are mailed. */
  async of(userIds: readonly string[]): Promise<ReadonlyMap<string, MailSuppressionNotice>> {
    const stored = await this.suppressions.list(userIds);
    return new Map(
      stored
        .filter(({ addressHash, email }) => equalInConstantTime(addressHash, this.hash(email)))
        .map(({ userId, reason, reportedAt }) => [userId, { reason, reportedAt }]),
    );
  }

  /** Part of the surrounding transaction. @returns whose addresses are not mailed from now on */
  async add(events: readonly MailEvent[]): Promise<{ userId: string; reason: MailSuppressionReason }[]> {
    const latest = new Map<string, MailEvent>();
    for (const event of events) {
      const known = latest.get(event.email);
      if (event.suppression !== null && !(known && known.at > event.at)) {
        latest.set(event.email, event);
      }
    }
    const rows = [...latest.values()].flatMap(({ email, suppression: reason, at }) =>
      reason === null ? [] : [{ email, hash: this.hash(email).toString('hex'), reason, at }],
    );
    return rows.length > 0 ? this.suppressions.add(rows) : [];
  }

  /** Mails are tried again. The provider says soon whether they arrive. */
  lift(userId: string): Promise<void> {
    return this.transactions.run(async () => {
      const reason = await this.suppressions.lift(userId);
      await this.audit.record({ entity: { type: 'user', id: userId }, before: { reason } });
    });
  }

  private hash(email: string): Buffer {
    return createHmac('sha256', this.#key).update(email).digest();
  }
}
