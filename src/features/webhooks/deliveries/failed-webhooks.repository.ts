import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { TEST_TYPE } from '../webhooks.types.js';

/** Which was not put aside. */
const IS_SHOWN = `d.state = 'FAILED' AND d.discarded_at IS NULL`;

const IS_REPLAYABLE = `w.state = 'ENABLED' AND d.type <> '${TEST_TYPE}'`;

// SQL: a keyset
const LIST = `
  SELECT d.id, d.type, coalesce(w.user_id, w.organization_id)::text AS "ownerId", d.last_status AS "lastStatus",
    d.last_error AS "lastError", d.attempts, d.finished_at AS "finishedAt", ${IS_REPLAYABLE} AS "isReplayable"
  FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
  WHERE ${IS_SHOWN} AND ($2::timestamptz IS NULL OR (d.finished_at, d.id) < ($2::timestamptz, $3::uuid))
  ORDER BY d.finished_at DESC, d.id DESC LIMIT $1`;

// SQL: database time
const FIND = `
  SELECT ${IS_REPLAYABLE} AS "isReplayable" FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
  WHERE d.id = $1 AND ${IS_SHOWN} FOR UPDATE OF d`;

// SQL: database time
const DISCARD = `UPDATE webhook_deliveries d SET discarded_at = now() WHERE d.id = $1 AND ${IS_SHOWN} RETURNING d.id`;

/** A delivery that was given up. */
export interface FailedWebhook {
  readonly id: string;
  readonly type: string;
  /** The person or the organization whose webhook it is. */
  readonly ownerId: string;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly attempts: number;
  readonly finishedAt: Date;
  readonly isReplayable: boolean;
}

/** Deliveries that were given up, of all endpoints. */
@Injectable()
export class FailedWebhooksRepository {
  constructor(private readonly database: Database) {}

  /** The latest first, one more than `limit` if there are more. */
  list(limit: number, after: CreationPosition | null): Promise<FailedWebhook[]> {
    const values = [limit + 1, ...(after ?? [null, null])];
    return this.database.query<FailedWebhook & Record<string, unknown>>('webhooks_failed', LIST, values);
  }

  /** Until the end of the transaction it stays as it is. Null: it has not failed, or not any more. */
  async findLocked(id: string): Promise<{ readonly isReplayable: boolean } | null> {
    const [row] = await this.database.query<{ isReplayable: boolean }>('webhooks_find_failed', FIND, [id]);
    return row ?? null;
  }

  /** Its owner keeps it in their log. @returns false when there is none */
  async discard(id: string): Promise<boolean> {
    return (await this.database.query('webhooks_discard', DISCARD, [id])).length === 1;
  }
}
