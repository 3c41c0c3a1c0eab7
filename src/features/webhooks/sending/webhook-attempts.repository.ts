import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { DeliveryFailure } from '../webhooks.types.js';

/** An attempt that says nothing for so long has lost its worker. */
const LEASE = `interval '2500 milliseconds'`;

/** Each endpoint that has something to be sent, with the time of the first of it: found by steps through the index. */
const WAITING = `
  WITH RECURSIVE waiting AS (
    (SELECT endpoint_id, next_attempt_at FROM webhook_deliveries WHERE state = 'PENDING'
      ORDER BY endpoint_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.endpoint_id, n.next_attempt_at FROM waiting w, LATERAL (
      SELECT endpoint_id, next_attempt_at FROM webhook_deliveries
      WHERE state = 'PENDING' AND endpoint_id > w.endpoint_id ORDER BY endpoint_id, next_attempt_at LIMIT 1) n
  )`;

const IS_OPEN = `e.state = 'ENABLED' AND (e.paused_until IS NULL OR e.paused_until <= now())`;

// SQL: a keyset
const RECEIVERS = `${WAITING}
  SELECT e.receiver FROM waiting w JOIN webhook_endpoints e ON e.id = w.endpoint_id
  WHERE w.next_attempt_at <= now() AND ${IS_OPEN} AND e.receiver > $2
  GROUP BY e.receiver ORDER BY e.receiver LIMIT $1`;

const IS_DUE = `state = 'PENDING' AND next_attempt_at <= now()`;

const standingOf = (endpoint: string): string =>
  `CASE WHEN ${endpoint}.failures > 0 THEN 'failing' WHEN ${endpoint}.proven_at IS NULL THEN 'new' ELSE 'proven' END`;

/** Of the endpoints at the receiver, that one's whose first is due longest. `$2` and `$3`: whose turn it is not. */
// SQL: a lock
const BEGIN = `
  UPDATE webhook_deliveries d SET attempts = d.attempts + 1, next_attempt_at = now() + ${LEASE}
  FROM webhook_endpoints w LEFT JOIN users u ON u.id = w.user_id
  WHERE w.id = d.endpoint_id AND d.id = (
    SELECT id FROM webhook_deliveries
    WHERE ${IS_DUE} AND endpoint_id = (
      SELECT e.id FROM webhook_endpoints e, LATERAL (
        SELECT next_attempt_at FROM webhook_deliveries WHERE endpoint_id = e.id AND ${IS_DUE}
        ORDER BY next_attempt_at LIMIT 1) first
      WHERE e.receiver = $1 AND ${IS_OPEN} AND coalesce(e.user_id, e.organization_id) <> ALL(${arrayParam(2, 'uuid')})
        AND ${standingOf('e')} <> ALL(${arrayParam(3, 'text')})
      ORDER BY first.next_attempt_at LIMIT 1)
    ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING d.id, d.endpoint_id AS "endpointId", d.device_id AS "deviceId", d.type, d.event_user_id AS "eventUserId",
    d.occurred_at AS "occurredAt", d.body, d.attempts AS attempt, d.failures, w.url, w.user_id AS "userId",
    w.organization_id AS "organizationId", w.secret,
    CASE WHEN w.previous_until > now() THEN w.previous_secret END AS "previousSecret",
    (w.user_id IS NULL OR ${canActSql('u')}) AS "ownerCanAct",
    ${standingOf('w')} AS standing`;

// SQL: database time
const RENEW = `
  UPDATE webhook_deliveries SET next_attempt_at = now() + ${LEASE} WHERE id = $1 AND state = 'PENDING' AND attempts = $2`;

// SQL: a lock
const LOCK_ORDER = `SELECT FROM webhook_sequences WHERE endpoint_id = $1 AND device_id = $2 FOR UPDATE`;

const IS_THIS_ATTEMPT = `id = $1 AND state = 'PENDING' AND attempts = $2`;

// SQL: database time
const DELIVERED = `
  UPDATE webhook_deliveries SET state = 'DELIVERED', holds = false, finished_at = now(), last_status = $3, last_error = NULL,
    last_duration = $4
  WHERE ${IS_THIS_ATTEMPT} RETURNING (extract(epoch FROM now() - created_at))::float8 AS "ageS"`;

// SQL: database time
const POSTPONED = `
  UPDATE webhook_deliveries SET failures = failures + 1, first_failed_at = coalesce(first_failed_at, now()),
    next_attempt_at = now() + $6 * interval '1 millisecond', last_status = $3, last_error = $4, last_duration = $5
  WHERE ${IS_THIS_ATTEMPT} RETURNING id`;

// SQL: database time
const FAILED = `
  UPDATE webhook_deliveries SET state = 'FAILED', holds = false, failures = failures + 1, finished_at = now(),
    first_failed_at = coalesce(first_failed_at, now()), last_status = $3, last_error = $4, last_duration = $5
  WHERE ${IS_THIS_ATTEMPT} RETURNING id`;

/** The next one of its device, unless another one holds that back. */
// SQL: database time
const PROMOTE = `
  UPDATE webhook_deliveries d SET next_attempt_at = now()
  WHERE d.id = (SELECT n.id FROM webhook_deliveries n WHERE n.endpoint_id = $1 AND n.device_id = $2 AND n.state = 'PENDING'
      AND n.holds ORDER BY n.sequence LIMIT 1)
    AND d.next_attempt_at = 'infinity'`;

// SQL: database time
const HOLDING = `
  SELECT id, endpoint_id AS "endpointId", device_id AS "deviceId" FROM webhook_deliveries
  WHERE state = 'PENDING' AND holds AND first_failed_at < now() - $1 * interval '1 millisecond'
  ORDER BY first_failed_at LIMIT $2`;

// SQL: database time
const LET_GO = `UPDATE webhook_deliveries SET holds = false WHERE id = $1 AND state = 'PENDING' AND holds RETURNING id`;

// SQL: database time
const RECOVERED = `
  UPDATE webhook_endpoints SET failures = 0, failing_since = NULL, paused_until = NULL, proven_at = coalesce(proven_at, now())
  WHERE id = $1 AND (failures > 0 OR proven_at IS NULL)`;

// SQL: database time
const FAILING = `
  UPDATE webhook_endpoints SET failures = failures + 1, failing_since = coalesce(failing_since, now())
  WHERE id = $1
  RETURNING failures, (extract(epoch FROM now() - failing_since) * 1000)::float8 AS "failingMs"`;

// SQL: database time
const PAUSE = `UPDATE webhook_endpoints SET paused_until = now() + $2 * interval '1 millisecond' WHERE id = $1`;

/** By the index alone: of each endpoint as many entries as it may have. */
// SQL: a keyset
const OVERFULL = `${WAITING}
  SELECT w.endpoint_id AS id FROM waiting w JOIN webhook_endpoints e ON e.id = w.endpoint_id AND e.state = 'ENABLED'
  WHERE EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = w.endpoint_id AND d.state = 'PENDING' OFFSET $1)`;

// SQL: a set-based batch
const FAIL_OF_DISABLED = `${WAITING}, ended AS (
    UPDATE webhook_deliveries SET state = 'FAILED', holds = false, finished_at = now(), last_error = 'endpoint_disabled'
    WHERE id IN (
      SELECT x.id FROM waiting w JOIN webhook_endpoints e ON e.id = w.endpoint_id AND e.state = 'DISABLED'
        JOIN webhook_deliveries x ON x.endpoint_id = e.id AND x.state = 'PENDING'
      LIMIT $1 FOR UPDATE OF x SKIP LOCKED)
    RETURNING 1)
  SELECT count(*)::int AS ended FROM ended`;

// SQL: database time
const BACKLOG = `
  SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestS"
  FROM webhook_deliveries WHERE state = 'PENDING'`;

/** The device of a delivery, by which it has its place in an order. */
export interface OrderedDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly deviceId: string;
}

/** Of an endpoint: `new` has taken nothing yet, `failing` did not take the last. */
export type EndpointStanding = 'new' | 'proven' | 'failing';

/** An attempt that has begun. */
export interface BegunAttempt extends OrderedDelivery {
  readonly type: string;
  readonly eventUserId: string | null;
  readonly occurredAt: Date;
  readonly body: string;
  /** From 1. */
  readonly attempt: number;
  /** Of earlier attempts. */
  readonly failures: number;
  readonly url: string;
  readonly userId: string | null;
  readonly organizationId: string | null;
  readonly secret: Uint8Array;
  readonly previousSecret: Uint8Array | null;
  readonly ownerCanAct: boolean;
  readonly standing: EndpointStanding;
}

/** What became of an attempt. */
export interface AttemptOutcome {
  readonly status: number | null;
  readonly error: DeliveryFailure | null;
  readonly durationMs: number;
}

/** The attempts to send deliveries. What an attempt changes is changed only while it is the latest. */
@Injectable()
export class WebhookAttemptsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Where something is due, by name: in the order of time, those where nothing can be begun would hide the others.
   * @param after the last one of the page before
   */
  async dueReceivers(limit: number, after: string): Promise<string[]> {
    const rows = await this.database.query<{ receiver: string }>('webhook_receivers', RECEIVERS, [limit, after]);
    return rows.map(({ receiver }) => receiver);
  }

  /**
   * The next delivery to a receiver that is due, which no other process is given while the attempt is renewed.
   * @param except owners, by their id, and standings of endpoints, for which none is begun
   */
  async begin(
    receiver: string,
    except: { readonly owners: readonly string[]; readonly standings: readonly EndpointStanding[] },
  ): Promise<BegunAttempt | null> {
    const values = [receiver, except.owners, except.standings];
    const [row] = await this.database.query<BegunAttempt & Record<string, unknown>>('webhook_begin', BEGIN, values);
    return row ?? null;
  }

  async renew({ id, attempt }: BegunAttempt): Promise<void> {
    await this.database.query('webhook_renew', RENEW, [id, attempt]);
  }

  /** Until the end of the transaction, no delivery of the device is added for the endpoint, and none ends. */
  async lockOrder({ endpointId, deviceId }: OrderedDelivery): Promise<void> {
    await this.database.query('webhook_lock_order', LOCK_ORDER, [endpointId, deviceId]);
  }

  /** @returns seconds since it was made; null when the attempt is none any more. */
  async delivered({ id, attempt }: BegunAttempt, { status, durationMs }: AttemptOutcome): Promise<number | null> {
    const values = [id, attempt, status, durationMs];
    const [row] = await this.database.query<{ ageS: number }>('webhook_delivered', DELIVERED, values);
    return row?.ageS ?? null;
  }

  /** @returns false when the attempt is none any more. */
  async postponed(attempt: BegunAttempt, outcome: AttemptOutcome, delayMs: number): Promise<boolean> {
    const values = [...failureOf(attempt, outcome), delayMs];
    return (await this.database.query('webhook_postponed', POSTPONED, values)).length > 0;
  }

  /** @returns false when the attempt is none any more. */
  async failed(attempt: BegunAttempt, outcome: AttemptOutcome): Promise<boolean> {
    return (await this.database.query('webhook_failed', FAILED, failureOf(attempt, outcome))).length > 0;
  }

  /** Lets the next one of the device go, if none holds it back. */
  async promote({ endpointId, deviceId }: OrderedDelivery): Promise<void> {
    await this.database.query('webhook_promote', PROMOTE, [endpointId, deviceId]);
  }

  /** Deliveries that hold back later ones since so long. */
  holdingFor(ms: number, limit: number): Promise<OrderedDelivery[]> {
    return this.database.query<OrderedDelivery & Record<string, unknown>>('webhook_holding', HOLDING, [ms, limit]);
  }

  /** From now on, later ones overtake it. @returns whether it held any back until now */
  async letGo({ id }: OrderedDelivery): Promise<boolean> {
    return (await this.database.query('webhook_let_go', LET_GO, [id])).length > 0;
  }

  async endpointRecovered(endpointId: string): Promise<void> {
    await this.database.query('webhook_recovered', RECOVERED, [endpointId]);
  }

  /** @returns how often in a row, and since when in milliseconds. */
  async endpointFailing(endpointId: string): Promise<{ failures: number; failingMs: number }> {
    const [row] = await this.database.query<{ failures: number; failingMs: number }>('webhook_failing', FAILING, [
      endpointId,
    ]);
    return row ?? { failures: 0, failingMs: 0 };
  }

  async pauseEndpoint(endpointId: string, ms: number): Promise<void> {
    await this.database.query('webhook_pause', PAUSE, [endpointId, ms]);
  }

  /** Deliveries that have not ended, and the age of the oldest. */
  async backlog(): Promise<{ waiting: number; oldestS: number }> {
    const [row] = await this.database.query<{ waiting: number; oldestS: number }>('webhook_backlog', BACKLOG);
    return row ?? { waiting: 0, oldestS: 0 };
  }

  /** Endpoints for which more than `most` deliveries wait. */
  async overfull(most: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>('webhooks_overfull', OVERFULL, [most]);
    return rows.map(({ id }) => id);
  }

  /** Ends what waits for endpoints that are disabled. @returns how many of at most `limit` */
  async failOfDisabled(limit: number): Promise<number> {
    const [row] = await this.database.query<{ ended: number }>('webhook_fail_of_disabled', FAIL_OF_DISABLED, [limit]);
    return row?.ended ?? 0;
  }
}

function failureOf({ id, attempt }: BegunAttempt, { status, error, durationMs }: AttemptOutcome): unknown[] {
  return [id, attempt, status, error, durationMs];
}
