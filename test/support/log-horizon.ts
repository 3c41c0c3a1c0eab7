import type { Sql } from './sql.js';
import { eventually } from './wait.js';

/** Until nothing can come before what is in the log: transactions of other tests on the same server hold that back. */
export async function logIsComplete(sql: Sql): Promise<void> {
  await eventually('the log is complete', async () => {
    const [row] = await sql.rows<{ isComplete: boolean }>(
      `SELECT NOT EXISTS (SELECT FROM events WHERE xid >= event_log_position(pg_snapshot_xmin(pg_current_snapshot())))
         AS "isComplete"`,
    );
    return row?.isComplete;
  });
}

/** When no transaction is open any more that was when this was called. */
export async function transactionsEnded(sql: Sql): Promise<void> {
  const [now] = await sql.rows<{ at: Date }>('SELECT clock_timestamp() AS at');
  await eventually('older transactions have ended', async () => {
    const open = await sql.rows(
      'SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start <= $1',
      [now?.at],
    );
    return open.length === 0;
  });
}
