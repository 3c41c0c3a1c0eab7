import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import type { MailSuppressionReason } from '../notifications.types.js';

/** Reports have no parts of a second. */
const IS_OF_THIS_ADDRESS = (at: string): string => `${at} >= date_trunc('second', u.email_since)`;

/**
 * Only of the account that holds the address now, and held it then; in the order of the accounts, as every other batch. What is
 * known already, or is older than the wish of the person to be mailed again, says nothing.
 */
// SQL: a set-based batch
const ADD = `
  INSERT INTO mail_suppressions AS s (user_id, address_hash, reason, reported_at)
  SELECT u.id, decode(r.hash, 'hex'), r.reason, least(r.at, now())
  FROM jsonb_to_recordset($1::jsonb) AS r(email text, hash text, reason text, at timestamptz)
  JOIN users u ON u.email = r.email AND ${IS_OF_THIS_ADDRESS('r.at')} ORDER BY u.id
  ON CONFLICT (user_id) DO UPDATE SET address_hash = EXCLUDED.address_hash, reason = EXCLUDED.reason,
    reported_at = EXCLUDED.reported_at, lifted_at = NULL
  WHERE s.address_hash <> EXCLUDED.address_hash OR EXCLUDED.reported_at > greatest(s.reported_at, s.lifted_at)
  RETURNING s.user_id AS "userId", s.reason`;

// SQL: a set-based batch
const LIST = `
  SELECT s.user_id AS "userId", s.address_hash AS "addressHash", s.reason, s.reported_at AS "reportedAt", u.email
  FROM mail_suppressions s JOIN users u ON u.id = s.user_id
  WHERE s.user_id = ANY (${arrayParam(1, 'uuid')}) AND s.lifted_at IS NULL AND ${IS_OF_THIS_ADDRESS('s.reported_at')}`;

// SQL: database time
const LIFT = `
  UPDATE mail_suppressions SET lifted_at = now() WHERE user_id = $1 AND lifted_at IS NULL RETURNING reason`;

/** An address that is not mailed any more. */
export interface NewSuppression {
  readonly email: string;
  readonly hash: string;
  readonly reason: MailSuppressionReason;
  readonly at: Date;
}

/** What is known against the address of an account; by its hash it may be an earlier one. */
export interface StoredSuppression {
  readonly userId: string;
  readonly addressHash: Uint8Array;
  readonly reason: MailSuppressionReason;
  readonly reportedAt: Date;
  /** Of the account now. */
  readonly email: string;
}

/** Which addresses of accounts are not mailed. */
@Injectable()
export class MailSuppressionsRepository {
  constructor(private readonly database: Database) {}

  /** @param suppressions one of each address. @returns what is new */
  add(suppressions: readonly NewSuppression[]): Promise<{ userId: string; reason: MailSuppressionReason }[]> {
    return this.database.query('mail_suppressions_add', ADD, [JSON.stringify(suppressions)]);
  }

  list(userIds: readonly string[]): Promise<StoredSuppression[]> {
    return this.database.query<StoredSuppression & Record<string, unknown>>('mail_suppressions', LIST, [userIds]);
  }

  /** @returns why the address was not mailed; null: it was. */
  async lift(userId: string): Promise<string | null> {
    const [row] = await this.database.query<{ reason: string }>('mail_suppressions_lift', LIFT, [userId]);
    return row?.reason ?? null;
  }
}
