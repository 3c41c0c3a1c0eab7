import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';

/** A message that was given up. */
export interface FailedMessage {
  readonly id: string;
  readonly userId: string;
  readonly channel: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly finishedAt: Date;
}

// SQL: a keyset
const LIST = `
  SELECT id, user_id AS "userId", channel, attempts, last_error AS "lastError", finished_at AS "finishedAt"
  FROM notification_messages
  WHERE state = 'FAILED' AND ($2::timestamptz IS NULL OR (finished_at, id) < ($2::timestamptz, $3::uuid))
  ORDER BY finished_at DESC, id DESC LIMIT $1`;

/** Attempts are counted on: what is left of an earlier one changes nothing. */
// SQL: database time
const SEND_AGAIN = `
  UPDATE notification_messages SET state = 'PENDING', reason = NULL, failures = 0, next_attempt_at = now(), finished_at = NULL, last_error = NULL
  WHERE id = $1 AND state = 'FAILED' RETURNING id`;

// SQL: database time
const DISCARD = `DELETE FROM notification_messages WHERE id = $1 AND state = 'FAILED' RETURNING id`;

/** Those that ended long ago. */
// SQL: database time
const PURGE = `
  DELETE FROM notification_messages WHERE id IN (
    SELECT id FROM notification_messages WHERE finished_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** Messages that failed for good, and those that are forgotten. */
@Injectable()
export class FailedMessagesRepository {
  constructor(private readonly database: Database) {}

  /** The latest first, one more than `limit` if there are more. */
  list(limit: number, after: CreationPosition | null): Promise<FailedMessage[]> {
    const values = [limit + 1, ...(after ?? [null, null])];
    return this.database.query<FailedMessage & Record<string, unknown>>('notifications_failed', LIST, values);
  }

  /** @returns false when it has not failed, or not any more. */
  async sendAgain(id: string): Promise<boolean> {
    return (await this.database.query('notifications_send_again', SEND_AGAIN, [id])).length > 0;
  }

  /** @returns false when there is none. */
  async discard(id: string): Promise<boolean> {
    return (await this.database.query('notifications_discard', DISCARD, [id])).length > 0;
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('notification_messages_purge', PURGE, [limit, keptMs])).length;
  }
}
