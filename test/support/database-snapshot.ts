import type { Sql } from './sql.js';

/** Tables that count attempts: a request that was refused or rolled back may change them. */
const COUNTERS = new Set(['login_throttles', 'alert_windows', 'login_windows']);
const ASIDE = `- 'last_seen_at' - 'failed_attempts' - 'tries'`;

/** All rows of all tables but the counters, by table name. */
export async function databaseSnapshot(sql: Sql): Promise<Record<string, unknown>> {
  const tables = await sql.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
  );
  const kept: Record<string, unknown> = {};
  for (const { name } of tables.filter((table) => !COUNTERS.has(table.name))) {
    kept[name] = await sql.rows(
      `SELECT to_jsonb(t) ${ASIDE} AS row FROM "${name}" t ORDER BY (to_jsonb(t) ${ASIDE})::text`,
    );
  }
  return kept;
}
