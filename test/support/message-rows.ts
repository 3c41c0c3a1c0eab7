import type { Sql } from './sql.js';

// Each notification with a message of its own.
const INSERT = `
  WITH told AS (
    INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, values, occurred_at, last_at, is_in_app)
    SELECT gen_random_uuid(), $1::uuid, $3, $4::boolean, 'signed_in_anew', $1::uuid, '{}', now(), now(), true
    FROM generate_series(1, $2::int) RETURNING id, gen_random_uuid() AS message_id
  ), messages AS (
    INSERT INTO notification_messages (id, user_id, channel, is_urgent)
    SELECT message_id, $1::uuid, 'email', $4::boolean FROM told RETURNING id)
  INSERT INTO notification_deliveries (notification_id, channel, message_id) SELECT id, 'email', message_id FROM told`;

/** So many mails for a person that are due. What they tell is theirs, and wanted. */
export async function insertDueMails(sql: Sql, userId: string, count: number, isUrgent: boolean): Promise<void> {
  await sql.rows(INSERT, [userId, count, isUrgent ? 'new_sign_in' : 'command_failed', isUrgent]);
}

/** How many messages are in each state. */
export async function messageStates(sql: Sql): Promise<Record<string, number>> {
  const rows = await sql.rows<{ state: string; count: number }>(
    'SELECT state, count(*)::int AS count FROM notification_messages GROUP BY state',
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
