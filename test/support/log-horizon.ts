import { Sql } from './sql.js';
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

/** Keeps a transaction open, before whose end no log is complete that is asked for from now on. @returns what ends it */
export async function holdLog(databaseUrl: string): Promise<() => Promise<void>> {
  const [holder, later] = [await Sql.open(databaseUrl), await Sql.open(databaseUrl)];
  await holder.rows('BEGIN');
  await holder.rows('SELECT pg_current_xact_id()');
  // A log ends behind the last transaction that has ended: without a later one, before the one that is open.
  await later.rows('SELECT pg_current_xact_id()');
  await later.end();
  return () => holder.end();
}
