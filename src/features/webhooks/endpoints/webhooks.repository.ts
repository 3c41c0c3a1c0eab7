import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { WebhookEndpoint, WebhookOwner, WebhookSettings } from '../webhooks.types.js';

const COLUMNS = `w.id, w.user_id AS "userId", w.organization_id AS "organizationId", w.url, w.description,
  w.event_types AS "eventTypes", w.device_ids::text[] AS "deviceIds", w.state, w.disabled_reason AS "disabledReason",
  w.disabled_at AS "disabledAt", w.failures, w.failing_since AS "failingSince",
  CASE WHEN w.previous_until > now() THEN w.previous_until END AS "previousUntil", w.version,
  w.created_at AS "createdAt", w.updated_at AS "updatedAt"`;

// SQL: a keyset
const LIST = `
  SELECT ${COLUMNS} FROM webhook_endpoints w
  WHERE (w.user_id = $1 OR w.organization_id = $2)
    AND ($4::timestamptz IS NULL OR (w.created_at, w.id) > ($4::timestamptz, $5::uuid))
  ORDER BY w.created_at, w.id LIMIT $3`;

// SQL: database time
const FIND = `SELECT ${COLUMNS} FROM webhook_endpoints w WHERE w.id = $1`;

// SQL: a lock
const LOCK = `SELECT ${COLUMNS} FROM webhook_endpoints w WHERE w.id = $1 FOR UPDATE`;

// SQL: a lock
const LOCK_PERSON = `SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`;
// SQL: a lock
const LOCK_ORGANIZATION = `SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE`;

/** Another address has not failed yet. */
// SQL: database time
const UPDATE = `
  UPDATE webhook_endpoints SET url = $2, receiver = $3, description = $4, event_types = $5::text[],
    device_ids = $6::uuid[], version = version + 1, updated_at = now(),
    failures = CASE WHEN url = $2 THEN failures ELSE 0 END, failing_since = CASE WHEN url = $2 THEN failing_since END,
    paused_until = CASE WHEN url = $2 THEN paused_until END, proven_at = CASE WHEN url = $2 THEN proven_at END
  WHERE id = $1`;

/** What is under way is left alone: its lease is shorter than this. */
// SQL: a lock
const HURRY = `
  UPDATE webhook_deliveries SET next_attempt_at = now() WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND state = 'PENDING' AND failures > 0
      AND next_attempt_at > now() + interval '3 seconds' AND next_attempt_at < 'infinity' FOR UPDATE SKIP LOCKED)`;

/** What was received while it was disabled is not delivered. */
// SQL: database time
const ENABLE = `
  UPDATE webhook_endpoints SET state = 'ENABLED', disabled_reason = NULL, disabled_at = NULL, since = now(), failures = 0,
    failing_since = NULL, paused_until = NULL
  WHERE id = $1`;

// SQL: database time
const DISABLE = `
  UPDATE webhook_endpoints SET state = 'DISABLED', disabled_reason = $2, disabled_at = now(), paused_until = NULL
  WHERE id = $1 AND state = 'ENABLED' RETURNING id`;

// SQL: database time
const ROTATE = `
  UPDATE webhook_endpoints SET secret = $2, previous_secret = $3, version = version + 1, updated_at = now(),
    previous_until = CASE WHEN $3::bytea IS NOT NULL THEN now() + $4 * interval '1 millisecond' END
  WHERE id = $1`;

/** Whose it is; of an organization, its owners and managers. Only who can act. */
// SQL: a set-based batch
const MANAGERS = `
  SELECT u.id AS "userId", u.email, w.receiver FROM webhook_endpoints w
  JOIN users u ON u.id = w.user_id OR u.id IN (
    SELECT m.user_id FROM memberships m WHERE m.organization_id = w.organization_id AND m.role IN ('OWNER', 'MANAGER'))
  WHERE w.id = $1 AND ${canActSql('u')} ORDER BY u.id LIMIT 100`;

/** Who manages an endpoint. */
export interface WebhookManager {
  readonly userId: string;
  readonly email: string;
  /** Where the endpoint is: host and port. */
  readonly receiver: string;
}

type EndpointRow = WebhookEndpoint & Record<string, unknown>;

/** The table of endpoints. */
@Injectable()
export class WebhooksRepository {
  constructor(private readonly database: Database) {}

  async add(
    id: string,
    owner: WebhookOwner,
    { url, description, eventTypes, deviceIds }: WebhookSettings,
    sealed: Buffer,
  ): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.webhookEndpoint.create({
        data: {
          id,
          ...owner,
          url,
          receiver: receiverOf(url),
          description,
          eventTypes: [...eventTypes],
          deviceIds: [...deviceIds],
          secret: new Uint8Array(sealed),
        },
      }),
    );
  }

  /** Oldest first, one more than `limit` if there are more. */
  list(owner: WebhookOwner, limit: number, after: CreationPosition | null): Promise<WebhookEndpoint[]> {
    const values = [owner.userId, owner.organizationId, limit + 1, ...(after ?? [null, null])];
    return this.database.query<EndpointRow>('webhooks_list', LIST, values);
  }

  async find(id: string): Promise<WebhookEndpoint | null> {
    const [row] = await this.database.query<EndpointRow>('webhooks_find', FIND, [id]);
    return row ?? null;
  }

  /** It does not change until the end of the transaction. */
  async lock(id: string): Promise<WebhookEndpoint | null> {
    const [row] = await this.database.query<EndpointRow>('webhooks_lock', LOCK, [id]);
    return row ?? null;
  }

  /** How many an owner has; no other one is counted until the end of the transaction. */
  async count({ userId, organizationId }: WebhookOwner): Promise<number> {
    // A statement of its own: who waited for the lock counts what was added meanwhile.
    await (userId === null
      ? this.database.query('webhooks_lock_organization', LOCK_ORGANIZATION, [organizationId])
      : this.database.query('webhooks_lock_person', LOCK_PERSON, [userId]));
    return this.database.prisma((prisma) => prisma.webhookEndpoint.count({ where: { userId, organizationId } }));
  }

  async update(id: string, { url, description, eventTypes, deviceIds }: WebhookSettings): Promise<void> {
    const values = [id, url, receiverOf(url), description, eventTypes, deviceIds];
    await this.database.query('webhooks_update', UPDATE, values);
  }

  /** What has failed, and waits, is tried again at once. */
  async hurry(id: string): Promise<void> {
    await this.database.query('webhooks_hurry', HURRY, [id]);
  }

  async enable(id: string): Promise<void> {
    await this.database.query('webhooks_enable', ENABLE, [id]);
  }

  /** @returns whether it was enabled until now. */
  async disable(id: string, reason: NonNullable<WebhookEndpoint['disabledReason']>): Promise<boolean> {
    return (await this.database.query('webhooks_disable', DISABLE, [id, reason])).length > 0;
  }

  async remove(id: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.webhookEndpoint.deleteMany({ where: { id } }));
  }

  async findSecret(id: string): Promise<Uint8Array | null> {
    const row = await this.database.prisma((prisma) =>
      prisma.webhookEndpoint.findUnique({ where: { id }, select: { secret: true } }),
    );
    return row?.secret ?? null;
  }

  /** @param previous signs as well for so long; null: no other one does */
  async rotate(id: string, sealed: Buffer, previous: Buffer | null, overlapMs: number): Promise<void> {
    await this.database.query('webhooks_rotate', ROTATE, [id, sealed, previous, overlapMs]);
  }

  listManagers(id: string): Promise<WebhookManager[]> {
    return this.database.query<WebhookManager & Record<string, unknown>>('webhooks_managers', MANAGERS, [id]);
  }

  /** How many of these devices the organization has. */
  async countDevicesOf(organizationId: string, deviceIds: readonly string[]): Promise<number> {
    return this.database.prisma((prisma) =>
      prisma.device.count({ where: { organizationId, id: { in: [...deviceIds] } } }),
    );
  }
}

/** Host and port. */
function receiverOf(url: string): string {
  const { host, port, protocol } = new URL(url);
  return port === '' ? `${host}:${protocol === 'https:' ? '443' : '80'}` : host;
}
