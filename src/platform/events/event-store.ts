import { Injectable } from '@nestjs/common';
import { outsideRequest } from '../context/request-context.js';
import { Database } from '../prisma/database.js';
import { outsideTransaction } from '../prisma/transactions.js';
import { EVENT_COLUMNS, type EventRow, HORIZON, type RoutedEntry, toRoutedEntry } from './event-rows.js';
import { LOG_START, type LogPosition, toPosition } from './log-position.js';

/** Ids follow the order of the records; they are received at the time of the statement. */
// SQL: a set-based batch
export const INSERT_EVENTS = `INSERT INTO events (received_at, type, source, device_id, user_id, actor, command_id, correlation_id, occurred_at,
    version, payload)
 SELECT written.at, type, source, device_id, user_id, actor, command_id, correlation_id,
    coalesce(occurred_at, written.at), coalesce(version, 1), payload
   FROM (SELECT clock_timestamp() AS at) written, ROWS FROM (jsonb_to_recordset($1::jsonb) AS (type text, source text, device_id uuid, user_id uuid, actor text,
    command_id uuid, correlation_id text, occurred_at timestamptz, version integer, payload jsonb))
    WITH ORDINALITY AS r(type, source, device_id, user_id, actor, command_id, correlation_id, occurred_at, version,
    payload, place)
  ORDER BY place`;

/** The log's table, and nothing but SQL. */
@Injectable()
export class EventStore {
  #generation: Promise<string> | undefined;
  /** The highest transaction that is known to have begun; so have all before it. */
  #begun = 0n;

  constructor(private readonly database: Database) {}

  /** Which log this is. It changes only by adoption, which no process outlives. All callers share it: it is read for none of them. */
  generation(): Promise<string> {
    this.#generation ??= outsideTransaction(() => outsideRequest(() => this.readGeneration())).catch(
      (error: unknown) => {
        this.#generation = undefined;
        throw error;
      },
    );
    return this.#generation;
  }

  /**
   * One statement however many there are, the last of its transaction; ids follow the order of `records`. They are received at
   * the time of the statement, with which COMMIT leaves: a transaction may have waited long before that.
   */
  async insert(records: readonly Record<string, unknown>[]): Promise<void> {
    // SQL: a set-based batch
    await this.database.executeLast('events_insert', INSERT_EVENTS, [JSON.stringify(records)]);
  }

  /** What follows `position`, as far as it is certain that nothing can still slip in between. */
  async listAfter(position: LogPosition, limit: number): Promise<RoutedEntry[]> {
    const generation = await this.generation();
    // SQL: a keyset: in the order of xid8
    const rows = await this.database.query<EventRow & { organization_id: string | null }>(
      'events_after',
      `SELECT ${EVENT_COLUMNS}, d.organization_id FROM events e LEFT JOIN devices d ON d.id = e.device_id
        WHERE (e.xid, e.id) > ($1::xid8, $2::bigint) AND e.xid < ${HORIZON}
        ORDER BY e.xid, e.id LIMIT $3`,
      [position.xid, position.id, limit],
    );
    return rows.map((row) => toRoutedEntry(generation, row));
  }

  /**
   * Whether a position that a client holds was ever given out by this log. Not so when the log was set back to an earlier
   * moment without being adopted.
   */
  async hasReached({ xid }: LogPosition): Promise<boolean> {
    if (xid > this.#begun) {
      // SQL: something Prisma cannot say: xid8
      const [row] = await this.database.query<{ end: string }>(
        'events_end',
        'SELECT event_log_position(pg_snapshot_xmax(pg_current_snapshot()))::text AS "end"',
      );
      this.#begun = BigInt(row?.end ?? 0);
    }
    return xid <= this.#begun;
  }

  /** The last position that retention has taken. Ask after the log was read: what is dropped in between is told. */
  async findDropped(): Promise<LogPosition> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<{ xid: string; id: string }>(
      'events_dropped',
      'SELECT dropped_xid::text AS xid, dropped_id::text AS id FROM event_log',
    );
    return row ? toPosition(row.xid, row.id) : LOG_START;
  }

  private async readGeneration(): Promise<string> {
    const row = await this.database.prisma((prisma) => prisma.eventLog.findFirst({ select: { generation: true } }));
    if (!row) {
      throw new Error('The event log has no generation: the database is not migrated.');
    }
    return row.generation;
  }
}
