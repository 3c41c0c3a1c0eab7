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
