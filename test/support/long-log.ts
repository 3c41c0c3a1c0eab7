import { scaled, tellProgress } from './promise.js';
import type { Sql } from './sql.js';

/** Events of the log, over ninety days of weekly partitions. */
export const LOG_LENGTH = scaled(40_000, 10_000_000);
const DAYS = 90;
const AT_ONCE = 500_000;

/** An id that says which one it is. */
export const idOf = (kind: number, n: number): string =>
  `0000000${String(kind)}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const sqlId = (kind: number, n: string): string =>
  `('0000000${String(kind)}-0000-4000-8000-' || lpad(to_hex((${n})::int), 12, '0'))::uuid`;

/** Who and what is in the log. */
export const IN_LOG = {
  /** Has 5,000 devices, and half of all events; an organization has the devices as well. */
  owner: idOf(1, 0),
  organization: idOf(3, 0),
  /** A tenth of all events is of this device. */
  device: idOf(2, 100_000),
  /** A thousand others have the rest; the devices of 300 of them are in this organization. */
  mixed: idOf(3, 1),
  other: (n: number): string => idOf(1, 1 + n),
  deviceOf: (n: number): string => idOf(2, n),
  command: (n: number): string => idOf(4, n),
} as const;

const SAID = `CASE WHEN n % 50 IN (6, 7) THEN jsonb_build_object('errorCode', 'E' || n % 31, 'errorMessage', 'Motor stalled at step ' || n % 97
      || CASE WHEN n % 20000 = 6 THEN ' zebra' ELSE '' END)
    WHEN n % 1000 = 3 THEN jsonb_build_object('note', 'Calibration of sensor ' || n % 13, 'values', jsonb_build_array(n, n + 1))
    WHEN n % 25 = 4 THEN jsonb_build_object('name', 'unlock_door', 'state', 'SENT')
    ELSE jsonb_build_object('lockState', CASE n % 2 WHEN 0 THEN 'locked' ELSE 'unlocked' END, 'doorState', 'closed') END`;

/** Fills an empty log as the application would have: in the order of time, each event in a transaction of its own. */
export async function fillLog(sql: Sql): Promise<void> {
  await sql.rows('ALTER FUNCTION event_log_position(xid8) RENAME TO real_log_position');
  // What is written here stands before what is written by now.
  await sql.rows(`CREATE FUNCTION event_log_position(xid8) RETURNS xid8 LANGUAGE sql STABLE
    AS $$ SELECT ($1::text::bigint + 100000000)::text::xid8 $$`);
  await sql.rows(`SET TimeZone = 'UTC'`);
  await sql.rows(
    `SELECT make_event_partition(w, w + interval '1 week') FROM generate_series(
       date_trunc('week', now()) - interval '13 weeks', date_trunc('week', now()) - interval '1 week', interval '1 week') AS w`,
  );
  await fillDevices(sql);
  for (let from = 1; from <= LOG_LENGTH; from += AT_ONCE) {
    await sql.rows(
      `INSERT INTO events (id, xid, received_at, occurred_at, type, source, device_id, user_id, actor, command_id, payload)
       SELECT n, n::text::xid8, at, at,
         CASE WHEN n % 50 IN (6, 7) THEN 'error_occurred' WHEN n % 1000 = 3 THEN 'custom' WHEN n % 25 = 4 THEN 'command_sent'
           WHEN n % 10000 = 8 THEN 'low_battery' ELSE 'door_status_changed' END,
         CASE WHEN n % 25 = 4 THEN 'http' ELSE 'mqtt' END,
         CASE WHEN n % 2 = 0 THEN ${sqlId(2, 'n / 2 % 5000')} WHEN n % 10 = 1 THEN '${IN_LOG.device}'
           ELSE ${sqlId(2, '10000 + n % 20011')} END,
         CASE WHEN n % 2 = 0 THEN '${IN_LOG.owner}' ELSE ${sqlId(1, '1 + n % 1000')} END,
         CASE WHEN n % 4000 = 4 THEN 'user:${idOf(1, 7)}' ELSE 'system' END,
         CASE WHEN n % 25 = 4 THEN ${sqlId(4, 'n / 250')} END, ${SAID}
       FROM generate_series($1::bigint, $2::bigint) AS n
         CROSS JOIN LATERAL (SELECT now() - interval '1 minute' - ($3 - n) * (interval '${String(DAYS)} days' / $3) AS at) AS t`,
      [from, Math.min(LOG_LENGTH, from + AT_ONCE - 1), LOG_LENGTH],
    );
    tellProgress(`${String(Math.min(LOG_LENGTH, from + AT_ONCE - 1))} events`);
  }
  await sql.rows('VACUUM ANALYZE events');
  await sql.rows('VACUUM ANALYZE devices');
}

async function fillDevices(sql: Sql): Promise<void> {
  await sql.rows(
    `INSERT INTO users (id, email, display_name)
     SELECT ${sqlId(1, 'n')}, 'person-' || n || '@example.com', 'Person' FROM generate_series(0, 1000) AS n`,
  );
  await sql.rows(`INSERT INTO organizations (id, name) VALUES ($1, 'One'), ($2, 'Mixed')`, [
    IN_LOG.organization,
    IN_LOG.mixed,
  ]);
  await sql.rows(
    `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id)
     SELECT ${sqlId(2, 'n')}, $1::uuid, $2::uuid, 'Door', 'a' || n FROM generate_series(0, 4999) AS n
     UNION ALL SELECT ${sqlId(2, '10000 + n')}, ${sqlId(1, '1 + n % 300')}, $3::uuid, 'Door', 'b' || n FROM generate_series(0, 4999) AS n`,
    [IN_LOG.owner, IN_LOG.organization, IN_LOG.mixed],
  );
}
