import { randomUUID } from 'node:crypto';
import type { Sql } from './sql.js';

/** A person with a device: rows belong to one or the other of two. */
export interface RetentionTenant {
  readonly userId: string;
  readonly deviceId: string;
  readonly organizationId: string;
}

/** The rows of a table that its rule may end: `key` names each, `insert` makes one for each name and time. */
interface PurgedTable {
  readonly key: string;
  readonly insert: string;
}

/** $1: names, $2: since when each is over, $3: devices, $4: their owners, $5: organizations. */
const ROWS =
  'unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[]) AS n(id, at, device, person, org)';

/** How a row of each table comes to its end, by the table's name. */
export const PURGED_TABLES: Readonly<Record<string, PurgedTable>> = {
  commands: {
    key: 'id',
    insert: `INSERT INTO commands (id, device_id, issuer_id, name, lane, payload, state, expires_at, correlation_id, created_at, finished_at)
      SELECT id, device, person, 'lock_door', 'bolt', '{}',
        (ARRAY['EXECUTED', 'FAILED', 'TIMED_OUT', 'EXPIRED', 'CANCELLED'])[1 + get_byte(uuid_send(id), 0) % 5]::command_state,
        at, 'test', at - interval '400 days', at FROM ${ROWS}`,
  },
  notifications: {
    key: 'id',
    insert: `INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, values, occurred_at, last_at, is_in_app, created_at)
      SELECT id, person, 'low_battery', false, 'low_battery', '{}', at, at, true, at FROM ${ROWS}`,
  },
  notification_messages: {
    key: 'id',
    insert: `INSERT INTO notification_messages (id, user_id, channel, is_urgent, state, created_at, finished_at)
      SELECT id, person, 'email', false, (ARRAY['SENT', 'FAILED', 'SUPPRESSED'])[1 + get_byte(uuid_send(id), 0) % 3],
        at - interval '1 hour', at FROM ${ROWS}`,
  },
  webhook_deliveries: {
    key: 'id',
    insert: `WITH endpoints AS (
        INSERT INTO webhook_endpoints (id, user_id, url, receiver, secret)
        SELECT id, person, 'https://hooks.example.com', 'hooks.example.com:443', '' FROM ${ROWS})
      INSERT INTO webhook_deliveries (id, endpoint_id, device_id, type, occurred_at, body, state, created_at, finished_at)
      SELECT id, id, device, 'low_battery', at, '{}', (ARRAY['DELIVERED', 'FAILED'])[1 + get_byte(uuid_send(id), 0) % 2],
        at - interval '3 days', at FROM ${ROWS}`,
  },
  notification_phone_codes: {
    key: 'id',
    insert: `WITH people AS (
        INSERT INTO users (id, email, display_name) SELECT id, id || '@phones.example.com', 'Phone' FROM ${ROWS})
      INSERT INTO notification_phone_codes (user_id, id, sealed, number_hash, masked, code_hash, expires_at)
      SELECT id, id, uuid_send(id), uuid_send(id), '+49*', uuid_send(id), at FROM ${ROWS}`,
  },
  sms_counts: {
    key: 'subject',
    insert: `INSERT INTO sms_counts (subject, begins_at, used) SELECT id::text, at, 1 FROM ${ROWS}`,
  },
  sms_reservations: {
    key: 'id',
    insert: `INSERT INTO sms_reservations (id, subjects, month, segments, created_at)
      SELECT id, ARRAY['segments'], at, 1, at FROM ${ROWS}`,
  },
  sessions: {
    key: 'id',
    insert: `INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at, revoked_at)
      SELECT id, person, uuid_send(id), at - interval '400 days', at,
        CASE WHEN get_byte(uuid_send(id), 0) % 2 = 0 THEN at - interval '300 days' END FROM ${ROWS}`,
  },
  push_subscriptions: {
    key: 'id',
    insert: `WITH n AS (SELECT * FROM ${ROWS}), s AS (
        INSERT INTO sessions (id, user_id, refresh_hash, expires_at, revoked_at)
        SELECT gen_random_uuid(), person, uuid_send(id), now() + interval '1000 days', at FROM n
        RETURNING id, refresh_hash)
      INSERT INTO push_subscriptions (id, user_id, session_id, service, sealed, token_hash, ending)
      SELECT n.id, person, s.id, 'fcm', '', uuid_send(n.id), 'abcd' FROM n JOIN s ON s.refresh_hash = uuid_send(n.id)`,
  },
  event_counts: {
    key: 'type',
    insert: `INSERT INTO event_counts (at, device_id, type, count) SELECT at, device, id, 1 FROM ${ROWS}`,
  },
  device_offline_periods: {
    key: 'device_id',
    insert: `INSERT INTO device_offline_periods (device_id, began_at, ended_at) SELECT id, at - interval '1 hour', at FROM ${ROWS}`,
  },
  event_rollups: {
    key: 'type',
    insert: `INSERT INTO event_rollups (hour, device_id, type, count) SELECT at, device, id, 1 FROM ${ROWS}`,
  },
  device_credentials: {
    key: 'id',
    insert: `INSERT INTO device_credentials (id, device_id, token_hash, created_at, revoked_at)
      SELECT id, device, uuid_send(id), at - interval '400 days', at FROM ${ROWS}`,
  },
  device_activations: {
    key: 'device_id',
    insert: `WITH n AS (SELECT * FROM ${ROWS}), d AS (
        INSERT INTO devices (id, owner_id, name, hardware_id) SELECT id, person, 'Door', id::text FROM n)
      INSERT INTO device_activations (device_id, code_hash, sealed, expires_at) SELECT id, '', '', at FROM n`,
  },
  device_transfers: {
    key: 'id',
    insert: `WITH n AS (SELECT * FROM ${ROWS}), d AS (
        INSERT INTO devices (id, owner_id, name, hardware_id) SELECT id, person, 'Door', id::text FROM n)
      INSERT INTO device_transfers (id, device_id, from_id, email, token_hash, expires_at)
      SELECT id, id, person, 'heir@example.com', uuid_send(id), at FROM n`,
  },
  signing_keys: {
    key: 'kid',
    insert: `INSERT INTO signing_keys (kid, purpose, algorithm, public_jwk, sealed_private, state, created_at, changed_at)
      SELECT id, 'order', 'EdDSA', '{}', '', 'retired', at - interval '400 days', at FROM ${ROWS}`,
  },
  mails: {
    key: 'id',
    insert: `INSERT INTO mails (id, status, sealed, created_at, next_attempt_at)
      SELECT id, (ARRAY['SENT', 'FAILED'])[1 + get_byte(uuid_send(id), 0) % 2], '', at - interval '400 days', at FROM ${ROWS}`,
  },
  idempotency_records: {
    key: 'key',
    insert: `INSERT INTO idempotency_records (user_id, key, route, request_hash, resource_id, created_at)
      SELECT person, id, 'POST /test', '', id, at FROM ${ROWS}`,
  },
  login_throttles: {
    key: 'origin',
    insert: `INSERT INTO login_throttles (account, origin, failures, last_failure)
      SELECT uuid_send(person), id, 1, at FROM ${ROWS}`,
  },
  alert_windows: {
    key: 'subject',
    insert: `INSERT INTO alert_windows (kind, subject, window_start, failures) SELECT 'test', id, at, 1 FROM ${ROWS}`,
  },
  one_time_tokens: {
    key: 'id',
    insert: `INSERT INTO one_time_tokens (id, purpose, token_hash, user_id, expires_at, used_at)
      SELECT id, 'test', uuid_send(id), person, CASE WHEN used THEN at + interval '400 days' ELSE at END, CASE WHEN used THEN at END
      FROM (SELECT *, get_byte(uuid_send(id), 0) % 2 = 0 AS used FROM ${ROWS}) AS r`,
  },
  invitations: {
    key: 'id',
    insert: `INSERT INTO invitations (id, organization_id, email, role, token_hash, invited_by, expires_at)
      SELECT id, org, id || '@example.com', 'VIEWER', uuid_send(id), person, at FROM ${ROWS}`,
  },
  device_diagnostics: {
    key: 'code',
    insert: `INSERT INTO device_diagnostics (device_id, code, count, last_seen_at) SELECT device, id, 1, at FROM ${ROWS}`,
  },
  device_receipts: {
    key: 'boot',
    insert: `INSERT INTO device_receipts (device_id, boot, seq, updated_at) SELECT device, id, 1, at FROM ${ROWS}`,
  },
  event_quotas: {
    key: 'subject_id',
    insert: `INSERT INTO event_quotas (subject_id, day, events) SELECT id, at::date, 1 FROM ${ROWS}`,
  },
  blocked_addresses: {
    key: 'address',
    insert: `INSERT INTO blocked_addresses (address, reason, blocked_at, blocked_until)
      SELECT id, 'test', at - interval '400 days', at FROM ${ROWS}`,
  },
  users: {
    key: 'id',
    insert: `INSERT INTO users (id, email, display_name, created_at, deleted_at)
      SELECT id, id || '@example.com', 'Gone', at - interval '400 days', at FROM ${ROWS}`,
  },
};

/** What never ends by time, however old: it is in use. The key of each has to be there at the end. */
const IN_USE: readonly (readonly [table: string, key: string, insert: string])[] = [
  [
    'commands',
    'id',
    `INSERT INTO commands (id, device_id, name, lane, payload, state, expires_at, correlation_id, created_at)
     SELECT id, device, 'lock_door', 'bolt', '{}', 'SENT', at, 'test', at FROM ${ROWS}`,
  ],
  [
    'device_credentials',
    'id',
    `INSERT INTO device_credentials (id, device_id, token_hash, created_at) SELECT id, device, uuid_send(id), at FROM ${ROWS}`,
  ],
  [
    'users',
    'id',
    `INSERT INTO users (id, email, display_name, created_at, blocked_at)
     SELECT id, id || '@example.com', 'Blocked', at, at FROM ${ROWS}`,
  ],
  [
    'device_receipts',
    'device_id',
    `INSERT INTO device_receipts (device_id, boot, seq, updated_at) SELECT device, 'current', 1, at FROM ${ROWS}`,
  ],
];

/** One person with a device in an organization of theirs. */
export async function insertTenant(sql: Sql): Promise<RetentionTenant> {
  const [userId, deviceId, organizationId] = [randomUUID(), randomUUID(), randomUUID()];
  await sql.rows(`INSERT INTO users (id, email, display_name) VALUES ($1, $2, 'Owner')`, [
    userId,
    `${userId}@example.com`,
  ]);
  await sql.rows(`INSERT INTO organizations (id, name) VALUES ($1, 'Theirs')`, [organizationId]);
  await sql.rows(`INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'OWNER')`, [
    organizationId,
    userId,
  ]);
  await insertDevice(sql, userId, { deviceId });
  return { userId, deviceId, organizationId };
}

export async function insertDevice(
  sql: Sql,
  ownerId: string,
  { deviceId = randomUUID(), organizationId = null as string | null } = {},
): Promise<string> {
  await sql.rows(
    `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, boot) VALUES ($1::uuid, $2, $3, 'Door', $1::text, 'current')`,
    [deviceId, ownerId, organizationId],
  );
  return deviceId;
}

/** Inserts rows that are over since `times`, in turn of each tenant. @returns their keys, in order. */
export async function insertEnded(
  sql: Sql,
  table: string,
  times: readonly Date[],
  tenants: readonly RetentionTenant[],
): Promise<string[]> {
  const ids = times.map(() => randomUUID());
  const of = (pick: keyof RetentionTenant): (string | undefined)[] =>
    ids.map((_, index) => tenants[index % tenants.length]?.[pick]);
  await sql.rows(PURGED_TABLES[table]?.insert ?? '', [ids, times, of('deviceId'), of('userId'), of('organizationId')]);
  return ids;
}

/** Those of these rows that are still there. */
export async function remaining(sql: Sql, table: string, keys: readonly string[]): Promise<Set<string>> {
  const key = PURGED_TABLES[table]?.key ?? '';
  const rows = await sql.rows<{ key: string }>(
    `SELECT ${key}::text AS key FROM ${table} WHERE ${key}::text = ANY ($1::text[])`,
    [keys],
  );
  return new Set(rows.map((row) => row.key));
}

/** Inserts what is in use since `at`, of one tenant. @returns the tables where it is there no more */
export async function insertInUse(
  sql: Sql,
  { deviceId, userId, organizationId }: RetentionTenant,
  at: Date,
): Promise<() => Promise<string[]>> {
  const keys = new Map<string, string>();
  for (const [table, key, insert] of IN_USE) {
    const id = randomUUID();
    await sql.rows(insert, [[id], [at], [deviceId], [userId], [organizationId]]);
    keys.set(table, key === 'device_id' ? deviceId : id);
  }
  return async () => {
    const missing: string[] = [];
    for (const [table, key] of IN_USE) {
      if ((await sql.rows(`SELECT 1 FROM ${table} WHERE ${key} = $1`, [keys.get(table)])).length === 0) {
        missing.push(table);
      }
    }
    return missing;
  };
}
