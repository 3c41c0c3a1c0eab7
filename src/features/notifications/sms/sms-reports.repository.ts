import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { MessageState } from '../notifications.types.js';

/** What the provider says of a message. */
export interface ReportedMessage {
  /** As it was given to the provider. */
  readonly id: string;
  /** The provider's own. */
  readonly providerId: string;
  readonly state: Extract<MessageState, 'DELIVERED' | 'FAILED'>;
  readonly error: string | null;
}

/**
 * Forward alone: what has ended stays as it did. A report may overtake the answer to the attempt that it is about, which is pending
 * then; of an attempt before the last replay, the provider's id is known, and its reports change nothing.
 */
// SQL: database time
const REPORT = `
  UPDATE notification_messages SET state = $3, provider_id = $2, last_error = $4, finished_at = now()
  WHERE id = $1 AND channel = 'sms' AND (
    (state = 'SENT' AND (provider_id IS NULL OR provider_id = $2))
    OR (state = 'PENDING' AND attempts > 0 AND provider_id IS DISTINCT FROM $2))
  RETURNING id`;

/** Writes what providers report of text messages. */
@Injectable()
export class SmsReportsRepository {
  constructor(private readonly database: Database) {}

  /** @returns false when it changes nothing: it is known, too late, or of no message. */
  async report({ id, providerId, state, error }: ReportedMessage): Promise<boolean> {
    return (await this.database.query('sms_report', REPORT, [id, providerId, state, error])).length > 0;
  }
}
