import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { type TimeSpan } from './partition-calendar.js';

export interface EventPartition extends TimeSpan {
  readonly name: string;
}

/** What a read of the whole log takes of the server's lock table. */
export interface LockRoom {
  /** Indexes of a partition; a read locks each. */
  readonly indexes: number;
  /** Locks that the table is sure to hold, of all connections together. */
  readonly locks: number;
}

/** Rows of a batch that is deleted from the default partition. */
const DELETED_AT_ONCE = 10_000;

/** The partitions of the event log, and nothing but SQL. Times are milliseconds since 1970. */
@Injectable()
export class EventPartitionStore {
  constructor(private readonly database: Database) {}

  /** The database's time, and every partition but the default one. */
  async list(): Promise<{ now: number; partitions: EventPartition[] }> {
    // SQL: something Prisma cannot say: a partition
    const rows = await this.database.query<{ now: number; name: string | null; from: number; to: number }>(
      'event_partitions_list',
      `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now, p.name,
         extract(epoch FROM coalesce(p.bound[1]::timestamptz, '-infinity'))::float8 * 1000 AS "from",
         extract(epoch FROM coalesce(p.bound[2]::timestamptz, 'infinity'))::float8 * 1000 AS "to"
       FROM (SELECT) AS always LEFT JOIN (
         SELECT c.relname::text AS name, regexp_match(pg_get_expr(c.relpartbound, c.oid),
           'FROM \\((?:''([^'']+)''|MINVALUE)\\) TO \\((?:''([^'']+)''|MAXVALUE)\\)') AS bound
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = '"events"'::regclass
       ) p ON p.bound IS NOT NULL`,
    );
    const partitions = rows.flatMap(({ name, from, to }) => (name === null ? [] : [{ name, from, to }]));
    return { now: rows[0]?.now ?? Date.now(), partitions };
  }

  /**
   * Makes the partition of a span that no other holds, and moves the events of its time out of the default partition, in
   * one transaction.
   * @returns how many were moved; null when another process is at it
   */
  async make({ from, to }: TimeSpan): Promise<number | null> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ moved: string | null }>(
      'event_partitions_make',
      'SELECT make_event_partition($1::timestamptz, $2::timestamptz) AS moved',
      [new Date(from), new Date(to)],
    );
    const moved = row?.moved ?? null;
    return moved === null ? null : Number(moved);
  }

  /** Drops a partition if all of it is older than `before`. @returns whether it did */
  async drop(name: string, before: number): Promise<boolean> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ dropped: boolean }>(
      'event_partitions_drop',
      'SELECT drop_event_partition($1, $2::timestamptz) AS dropped',
      [name, new Date(before)],
    );
    return row?.dropped ?? false;
  }

  /** Deletes a batch of what is older than `before` in the default partition. @returns whether there may be more */
  async deleteStrays(before: number): Promise<boolean> {
    // SQL: a set-based batch
    const rows = await this.database.query(
      'event_partitions_delete_strays',
      `DELETE FROM events_default WHERE ctid = ANY (ARRAY (
         SELECT ctid FROM events_default WHERE received_at < $1::timestamptz LIMIT $2)) RETURNING true`,
      [new Date(before), DELETED_AT_ONCE],
    );
    return rows.length === DELETED_AT_ONCE;
  }

  /** Rows that no partition was there for, counted up to `limit`. */
  async countStrays(limit: number): Promise<number> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ strays: number }>(
      'event_partitions_strays',
      'SELECT count(*)::int AS strays FROM (SELECT FROM events_default LIMIT $1) AS s',
      [limit],
    );
    return row?.strays ?? 0;
  }

  /** When the oldest of those rows from `from` on was received; null when there is none. */
  async oldestStray(from: number): Promise<number | null> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ at: Date | null }>(
      'event_partitions_oldest_stray',
      'SELECT min(received_at) AS at FROM events_default WHERE received_at >= $1::timestamptz',
      [Number.isFinite(from) ? new Date(from) : '-infinity'],
    );
    return row?.at?.getTime() ?? null;
  }

  /** Where a span ends that begins at `from` and holds about `rows` of those rows at most; null: it holds fewer. */
  async endOfStrays({ from, to }: TimeSpan, rows: number): Promise<number | null> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ at: Date }>(
      'event_partitions_end_of_strays',
      `SELECT received_at AS at FROM events_default WHERE received_at > $1::timestamptz AND received_at < $2::timestamptz
       ORDER BY received_at OFFSET $3 LIMIT 1`,
      [new Date(from), new Date(to), rows],
    );
    return row?.at.getTime() ?? null;
  }

  async lockRoom(): Promise<LockRoom> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<LockRoom & Record<string, unknown>>(
      'event_partitions_lock_room',
      `SELECT (SELECT count(*)::int FROM pg_index WHERE indrelid = '"events"'::regclass) AS indexes,
         current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS locks`,
    );
    return row ?? { indexes: 0, locks: 0 };
  }
}
