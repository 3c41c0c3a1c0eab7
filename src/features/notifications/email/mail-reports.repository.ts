import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { MailOutcome } from './mail-events.js';

/**
 * Forward alone. `DELIVERED` is final but for a bounce that comes after; a failure that was reported is final; one of ours, after which
 * it turns out that the mail had been taken, is not.
 */
// SQL: a lock
const SETTLE = `
  WITH heard AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS h(id uuid, state text, reason text, error text)
  ), locked AS (
    SELECT m.id FROM notification_messages m JOIN heard h ON h.id = m.id
    WHERE m.channel = 'email' AND (
      m.state = 'SENT' OR (m.state = 'PENDING' AND m.attempts > 0) OR (m.state = 'FAILED' AND m.reason IS NULL)
      OR (m.state = 'DELIVERED' AND h.state = 'FAILED'))
    ORDER BY m.id FOR UPDATE OF m)
  UPDATE notification_messages m SET state = h.state, reason = h.reason, last_error = h.error, finished_at = now()
  FROM heard h JOIN locked l ON l.id = h.id WHERE m.id = h.id RETURNING m.state`;

/** What became of a message, as its provider reports it. */
export interface MessageReport {
  readonly messageId: string;
  readonly outcome: MailOutcome;
}

/** What reports of a provider change of messages. */
@Injectable()
export class MailReportsRepository {
  constructor(private readonly database: Database) {}

  /** @param reports one of each message. @returns how many of them changed */
  async settle(reports: readonly MessageReport[]): Promise<number> {
    const rows = reports.map(({ messageId, outcome }) => ({ id: messageId, reason: null, error: null, ...outcome }));
    return (await this.database.query('notification_reports', SETTLE, [JSON.stringify(rows)])).length;
  }
}
