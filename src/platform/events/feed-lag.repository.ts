import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { HORIZON } from './event-rows.js';
import { type LogPosition } from './log-position.js';

/** What keeps a transaction open that the log waits for. Null: unknown, or not of that kind. */
export interface FeedBlocker {
  /** Null for a prepared transaction, which has no process. */
  readonly pid: number | null;
  /** Of the whole cluster: any database's writer moves the horizon. */
  readonly database: string | null;
  /** Seconds since it began; null where this role may not see it (`pg_read_all_stats`). */
  readonly ageS: number | null;
  /** The name of a prepared transaction. */
  readonly prepared: string | null;
}

/** How long committed events have been waiting, in seconds by the database clock. 0: none wait. */
@Injectable()
export class FeedLagRepository {
  constructor(private readonly database: Database) {}

  /** By reader: the age of the oldest event that it has not taken, beyond the horizon as well. */
  async listReaderLags(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    // SQL: something Prisma cannot say: xid8
    const rows = await this.database.query<{ name: string; lag: number }>(
      'event_readers_lag',
      `SELECT r.name, ${ageOfNext('r.xid', 'r.event_id')} AS lag FROM event_readers r WHERE r.name = ANY($1::text[])`,
      [names],
    );
    return new Map(rows.map(({ name, lag }) => [name, lag]));
  }

  /** The same for a reader that keeps its position itself. */
  async findLagAfter({ xid, id }: LogPosition): Promise<number> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<{ lag: number }>(
      'events_lag_after',
      `SELECT ${ageOfNext('$1::xid8', '$2::bigint')} AS lag`,
      [xid, id],
    );
    return row?.lag ?? 0;
  }

  /** For how long an event has waited behind a transaction that is still open. */
  async findHeldBack(): Promise<number> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<{ lag: number }>(
      'events_held_back',
      `SELECT coalesce((SELECT ${AGE} FROM events e WHERE e.xid >= ${HORIZON} ORDER BY e.xid, e.id LIMIT 1), 0)::float8 AS lag`,
    );
    return row?.lag ?? 0;
  }

  /** The oldest transaction of the cluster that has written, whatever its place in our log. Every role may see locks; the age takes a grant. */
  async findBlocker(): Promise<FeedBlocker | null> {
    // SQL: something Prisma cannot say: a system view
    const [row] = await this.database.query<FeedBlocker & Record<string, unknown>>(
      'feed_blocker',
      `SELECT l.pid, coalesce(a.datname, p.database) AS database, p.gid AS prepared,
              extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS "ageS"
         FROM pg_locks l
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         LEFT JOIN pg_prepared_xacts p ON p.transaction = l.transactionid
        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
          AND l.transactionid = pg_snapshot_xmin(pg_current_snapshot())::xid`,
    );
    return row ?? null;
  }
}

const AGE = 'extract(epoch FROM clock_timestamp() - e.received_at)';

function ageOfNext(xid: string, id: string): string {
  return `coalesce((SELECT ${AGE} FROM events e WHERE (e.xid, e.id) > (${xid}, ${id}) ORDER BY e.xid, e.id LIMIT 1),
    0)::float8`;
}
