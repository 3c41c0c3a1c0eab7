import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { type DeliveryState, NO_DEVICE, TEST_TYPE, type WebhookDelivery } from '../webhooks.types.js';

const COLUMNS = `d.id, d.endpoint_id AS "endpointId", nullif(d.device_id, '${NO_DEVICE}')::text AS "deviceId",
  d.sequence::float8 AS sequence, d.type, d.state, d.attempts,
  CASE WHEN d.state = 'PENDING' AND d.next_attempt_at < 'infinity' THEN d.next_attempt_at END AS "nextAttemptAt",
  d.last_status AS "lastStatus", d.last_error AS "lastError", d.last_duration AS "lastDurationMs",
  d.created_at AS "createdAt", d.finished_at AS "finishedAt"`;

// SQL: a keyset
const LIST = `
  SELECT ${COLUMNS} FROM webhook_deliveries d
  WHERE d.endpoint_id = $1 AND ($2::text IS NULL OR d.state = $2)
    AND ($4::timestamptz IS NULL OR (d.created_at, d.id) < ($4::timestamptz, $5::uuid))
  ORDER BY d.created_at DESC, d.id DESC LIMIT $3`;

// SQL: database time
const FIND = `SELECT ${COLUMNS}, d.body FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.id = $2`;

// SQL: database time
const ADD_TEST = `
  INSERT INTO webhook_deliveries (id, endpoint_id, device_id, type, occurred_at, body, holds)
  VALUES ($1, $2, '${NO_DEVICE}', '${TEST_TYPE}', now(), $3, false)`;

/** Later ones of its device have overtaken it, and go on doing so. */
// SQL: database time
const REPLAY = `
  UPDATE webhook_deliveries SET state = 'PENDING', failures = 0, first_failed_at = NULL, next_attempt_at = now(),
    finished_at = NULL, discarded_at = NULL, holds = false
  WHERE id = $1 AND state <> 'PENDING' RETURNING id`;

// SQL: database time
const PURGE = `
  DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE finished_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** A delivery with what is posted. */
export interface DeliveryWithBody extends WebhookDelivery {
  readonly body: string;
}

/** The log of deliveries. */
@Injectable()
export class WebhookDeliveriesRepository {
  constructor(private readonly database: Database) {}

  /** Newest first, one more than `limit` if there are more. */
  list(
    endpointId: string,
    state: DeliveryState | undefined,
    limit: number,
    after: CreationPosition | null,
  ): Promise<WebhookDelivery[]> {
    const values = [endpointId, state ?? null, limit + 1, ...(after ?? [null, null])];
    return this.database.query<WebhookDelivery & Record<string, unknown>>('webhook_deliveries_list', LIST, values);
  }

  async find(endpointId: string, id: string): Promise<DeliveryWithBody | null> {
    const values = [endpointId, id];
    const [row] = await this.database.query<DeliveryWithBody & Record<string, unknown>>(
      'webhook_deliveries_find',
      FIND,
      values,
    );
    return row ?? null;
  }

  async addTest(id: string, endpointId: string, body: string): Promise<void> {
    await this.database.query('webhook_deliveries_add_test', ADD_TEST, [id, endpointId, body]);
  }

  /** @returns false when it has not ended. */
  async replay(id: string): Promise<boolean> {
    return (await this.database.query('webhook_deliveries_replay', REPLAY, [id])).length > 0;
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('webhook_deliveries_purge', PURGE, [limit, keptMs])).length;
  }
}
