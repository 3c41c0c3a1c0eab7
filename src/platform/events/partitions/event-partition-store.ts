import { Injectable } from '@nestjs/common';
import { Database } from '../../prisma/database.js';
import type { PurgeBatch } from '../../scheduling/purge-registry.js';
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
  /** Processes of Mortise that are connected: each keeps one connection for its health. */
  readonly processes: number;
}

/** Why a partition is kept although all of it is older than the retention. */
export interface KeptBecause {
  /** Readers that have not taken all of its events yet. */
  readonly unreadBy: readonly string[];
  /** By their places in the log its events came after younger ones: the clock was wrong when they were received. */
  readonly isMisdated: boolean;
}

/** What {@link EventPartitionStore.deleteDefaultRows} and {@link EventPartitionStore.whyKept} compare old events with. */
export interface Retained {
  /** Where the oldest partition begins that is kept. */
  readonly from: number;
  readonly now: number;
  /** Names of the durable readers. */
  readonly readers: readonly string[];
}

/** What became of a partition that was to be dropped. */
export interface DroppedPartition {
  readonly dropped: boolean | null;
  /** How many events it had. */
  readonly deleted: number;
}

const ALL_TIME: TimeSpan = { from: -Infinity, to: Infinity };
/** Rows of a batch that is deleted from the default partition. */
const DELETED_AT_ONCE = 10_000;
/** The move of a whole partition, or the count of its events, takes longer than any other statement may, but no longer than this. */
const MAKE_WITHIN_MS = 60_000;
/** For the answer to arrive, so that PostgreSQL is the one that gives up first. */
const ANSWER_WITHIN_MS = MAKE_WITHIN_MS + 5_000;

// SQL: settings of a transaction; those that this server does not know are left out
const SET_LIMITS = `
  SELECT set_config(name, value, true)
    FROM (VALUES ('statement_timeout', '${String(MAKE_WITHIN_MS)}'), ('transaction_timeout', '0')) AS wanted(name, value)
    JOIN pg_settings USING (name)`;

/** The first position of what is kept; parameters: where that begins, and now. */
const firstKept = (from: string, now: string): string =>
  `(SELECT ROW(k.xid, k.id) FROM events k WHERE k.received_at >= ${from}::timestamptz AND k.received_at < ${now}::timestamptz
    ORDER BY k.xid, k.id LIMIT 1)`;
/** Those of the readers whose cursor is before an event that `which` selects; one that never ran has read nothing. */
const unreadBy = (readers: string, which: string): string =>
  `SELECT w.name FROM unnest(${readers}::text[]) AS w(name) LEFT JOIN event_readers r ON r.name = w.name
    WHERE ${which.replaceAll('CURSOR', `(coalesce(r.xid, '0'::xid8), coalesce(r.event_id, 0))`)}`;

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
    const row = await this.runForLong<{ moved: string | null }>(
      // SQL: something Prisma cannot say: a partition
      'SELECT make_event_partition($1::timestamptz, $2::timestamptz) AS moved',
      [new Date(from), new Date(to)],
    );
    const moved = row?.moved ?? null;
    return moved === null ? null : Number(moved);
  }

  /**
   * Drops a partition if all of it is older than `before`, and notes its last position and how many events it had in the same
   * transaction.
   * @returns how many; `dropped` is null when it cannot now: another process is at it, or the log is being read for so long
   */
  async drop(name: string, before: number): Promise<DroppedPartition> {
    const row = await this.runForLong<{ dropped: boolean | null; deleted: string }>(
      // SQL: something Prisma cannot say: a partition
      'SELECT dropped, deleted FROM purge_event_partition($1, $2::timestamptz)',
      [name, new Date(before)],
    );
    return { dropped: row?.dropped ?? null, deleted: Number(row?.deleted ?? 0) };
  }

  /** Why the events of an old span are not to be dropped yet. */
  async whyKept({ from, to }: TimeSpan, retained: Retained): Promise<KeptBecause> {
    const inSpan = 'e.received_at >= $1::timestamptz AND e.received_at < $2::timestamptz';
    const unread = unreadBy('$5', `EXISTS (SELECT FROM events e WHERE ${inSpan} AND (e.xid, e.id) > CURSOR)`);
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<KeptBecause & Record<string, unknown>>(
      'event_partitions_why_kept',
      `SELECT ARRAY(${unread}) AS "unreadBy", coalesce(
         (SELECT ROW(e.xid, e.id) FROM events e WHERE ${inSpan} ORDER BY e.xid, e.id LIMIT 1) > ${firstKept('$3', '$4')},
         false) AS "isMisdated"`,
      [toTime(from), toTime(to), toTime(retained.from), toTime(retained.now), retained.readers],
    );
    return row ?? { unreadBy: [], isMisdated: false };
  }

  /**
   * Deletes a batch of what is older than `before` in the default partition, and notes how far and how many; not what {@link whyKept}
   * would keep.
   * @returns how many, and whether there may be more
   */
  async deleteDefaultRows(before: number, retained: Retained): Promise<PurgeBatch> {
    // SQL: a set-based batch
    const [row] = await this.database.query<{ deleted: number }>(
      'event_partitions_delete_default_rows',
      `WITH gone AS (DELETE FROM events_default WHERE ctid = ANY (ARRAY (
         SELECT e.ctid FROM events_default e WHERE e.received_at < $1::timestamptz
            AND coalesce((SELECT ROW(e.xid, e.id)) < ${firstKept('$3', '$4')}, true)
            AND NOT EXISTS (${unreadBy('$5', '(e.xid, e.id) > CURSOR')}) LIMIT $2)) RETURNING xid, id),
       last AS (SELECT xid, id FROM gone ORDER BY xid DESC, id DESC LIMIT 1),
       noted AS (UPDATE event_log l SET dropped_xid = last.xid, dropped_id = last.id FROM last
          WHERE (l.dropped_xid, l.dropped_id) < (last.xid, last.id))
       SELECT n AS deleted, count_purged('purge_events', n, $1::timestamptz) FROM (SELECT count(*)::int AS n FROM gone) AS counted`,
      [toTime(before), DELETED_AT_ONCE, toTime(retained.from), toTime(retained.now), retained.readers],
    );
    const deleted = row?.deleted ?? 0;
    return { deleted, more: deleted === DELETED_AT_ONCE };
  }

  /** Rows that no partition was there for, counted up to `limit`. */
  async countDefaultRows(limit: number, { from, to }: TimeSpan = ALL_TIME): Promise<number> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ count: number }>(
      'event_partitions_default_rows',
      `SELECT count(*)::int AS count FROM (SELECT FROM events_default
         WHERE received_at >= $1::timestamptz AND received_at < $2::timestamptz LIMIT $3) AS counted`,
      [toTime(from), toTime(to), limit],
    );
    return row?.count ?? 0;
  }

  /** When the oldest of those rows from `from` on was received; null when there is none. */
  async oldestDefaultRow(from: number): Promise<number | null> {
    // SQL: something Prisma cannot say: a partition
    const [row] = await this.database.query<{ at: Date | null }>(
      'event_partitions_oldest_default_row',
      'SELECT min(received_at) AS at FROM events_default WHERE received_at >= $1::timestamptz',
      [toTime(from)],
    );
    return row?.at?.getTime() ?? null;
  }

  async lockRoom(): Promise<LockRoom> {
    // SQL: something Prisma cannot say: a partition, the server's activity
    const [row] = await this.database.query<LockRoom & Record<string, unknown>>(
      'event_partitions_lock_room',
      `SELECT (SELECT count(*)::int FROM pg_index WHERE indrelid = '"events"'::regclass) AS indexes,
         current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS locks,
         (SELECT count(*)::int FROM pg_stat_activity
           WHERE datname = current_database() AND application_name LIKE 'mortise:health:%') AS processes`,
    );
    return row ?? { indexes: 0, locks: 0, processes: 0 };
  }

  /**
   * Runs a statement with a minute of time. COMMIT leaves with it: a process that is stopped then holds no lock of the log.
   * @returns its only row
   */
  private async runForLong<Row extends Record<string, unknown>>(
    text: string,
    values: unknown[],
  ): Promise<Row | undefined> {
    const statement = { text, values, query_timeout: ANSWER_WITHIN_MS };
    const commit = { text: 'COMMIT', query_timeout: ANSWER_WITHIN_MS };
    const connection = await this.database.pool.connect();
    let intact = false;
    try {
      await connection.query('BEGIN');
      await connection.query(SET_LIMITS);
      const [{ rows }] = await Promise.all([connection.query<Row>(statement), connection.query(commit)]);
      intact = true;
      return rows[0];
    } finally {
      // One that failed is closed, and its transaction ends with it.
      connection.release(!intact);
    }
  }
}

/** As PostgreSQL reads it. */
function toTime(at: number): Date | string {
  return Number.isFinite(at) ? new Date(at) : at < 0 ? '-infinity' : 'infinity';
}
