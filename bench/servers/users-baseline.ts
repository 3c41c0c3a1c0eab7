/**
 * The list of accounts as one would write it without a framework: Fastify, pg, one prepared keyset query, no questions
 * asked. With AUDITED=1 each look is recorded first, in the same transaction.
 */
import Fastify from 'fastify';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

interface UserRow {
  id: string;
  email: string;
  username: string | null;
  display_name: string;
  role: string;
  status: string;
  has_password: boolean;
  last_login_at: Date | null;
  login_count: number;
  failed_attempts: number;
  blocked_at: Date | null;
  deleted_at: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

const LIST = `SELECT id, email, username, display_name, role,
    CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN blocked_at IS NOT NULL THEN 'blocked' ELSE 'active' END AS status,
    password_hash IS NOT NULL AS has_password, last_login_at, login_count, failed_attempts, blocked_at, deleted_at,
    version, created_at, updated_at
  FROM users WHERE (created_at, id) < ($1::timestamptz, $2::uuid) ORDER BY created_at DESC, id DESC LIMIT $3`;

const audited = process.env.AUDITED === '1';
const pool = new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 });
await pool.query('CREATE TABLE IF NOT EXISTS baseline_audit (id bigserial PRIMARY KEY, at timestamptz, query jsonb)');

const app = Fastify();
app.get<{ Querystring: { limit: string; cursor: string } }>('/api/v1/users', async ({ query: { limit, cursor } }) => {
  const [order, keys, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, string[], string];
  const list = { name: 'list', text: LIST, values: [keys[0], id, Number(limit) + 1] };
  const rows = audited ? await looking(list) : (await pool.query<UserRow>(list)).rows;
  const items = rows.slice(0, Number(limit));
  const last = items.at(-1);
  const next = last && rows.length > items.length ? [order, [last.created_at], last.id] : null;
  return { items: items.map(toItem), nextCursor: next && Buffer.from(JSON.stringify(next)).toString('base64url') };
});
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

async function looking(list: pg.QueryConfig): Promise<UserRow[]> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query({
      name: 'audit',
      text: 'INSERT INTO baseline_audit (at, query) VALUES (now(), $1)',
      values: [{ sort: '-createdAt' }],
    });
    const { rows } = await client.query<UserRow>(list);
    await client.query('COMMIT');
    return rows;
  } finally {
    client.release();
  }
}

function toItem(row: UserRow): object {
  return {
    id: row.id,
    email: row.email,
    username: row.username,
    displayName: row.display_name,
    role: row.role,
    lastLoginAt: row.last_login_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    status: row.status,
    hasPassword: row.has_password,
    loginCount: row.login_count,
    failedAttempts: row.failed_attempts,
    blockedAt: row.blocked_at,
    deletedAt: row.deleted_at,
  };
}
