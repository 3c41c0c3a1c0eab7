import { Injectable } from '@nestjs/common';
import type { EventType } from '../../contracts/events.js';
import { outsideRequest } from '../context/request-context.js';
import { Database } from '../prisma/database.js';
import { outsideTransaction } from '../prisma/transactions.js';
import {
  EVENT_COLUMNS,
  type EventRow,
  HORIZON,
  type LogEntry,
  type RoutedEntry,
  toEntry,
  toRoutedEntry,
} from './event-rows.js';
import { LOG_START, type LogPosition, toPosition } from './log-position.js';

/** What a page of the log is cut from. Times are those at which we committed the events. */
export interface EventFilter {
  readonly deviceIds?: readonly string[];
  readonly userId?: string;
  readonly types?: readonly EventType[];
  /** Inclusive. */
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
  /** Inclusive: when they happened, by what tells of them. */
  readonly occurredFrom?: Date;
}

export interface PageBounds {
  readonly after?: LogPosition;
  readonly before?: LogPosition;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

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
    await this.database.executeLast(
      'events_insert',
      `INSERT INTO events (received_at, type, source, device_id, user_id, actor, command_id, correlation_id, occurred_at,
              version, payload)
       SELECT written.at, type, source, device_id, user_id, actor, command_id, correlation_id,
              coalesce(occurred_at, written.at), coalesce(version, 1), payload
         FROM (SELECT clock_timestamp() AS at) written, ROWS FROM (jsonb_to_recordset($1::jsonb) AS (type text, source text, device_id uuid, user_id uuid, actor text,
              command_id uuid, correlation_id text, occurred_at timestamptz, version integer, payload jsonb))
              WITH ORDINALITY AS r(type, source, device_id, user_id, actor, command_id, correlation_id, occurred_at, version,
              payload, place)
        ORDER BY place`,
      [JSON.stringify(records)],
    );
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
   * A page in either direction. Forward, it ends where certainty ends; backward it shows all that is committed, so that
   * a person sees at once what they just did.
   */
  async listPage(filter: EventFilter, bounds: PageBounds): Promise<LogEntry[]> {
    const generation = await this.generation();
    const { name, text, values } = pageStatement(filter, bounds);
    // SQL: a keyset: in the order of xid8
    const rows = await this.database.query<EventRow>(name, text, values);
    return rows.map((row) => toEntry(generation, row));
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

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Condition {
  readonly name: string;
  /** Undefined: not filtered. */
  readonly value: unknown;
  readonly sql: (parameter: string) => string;
}

/** One statement per combination of conditions, each with its own plan: an optional condition in SQL would cost the index. */
function pageStatement(filter: EventFilter, { after, before, order, limit }: PageBounds): Statement {
  const used = [...filterConditions(filter), ...positionConditions(after, before)].filter(
    ({ value }) => value !== undefined,
  );
  const wanted = used.map(({ sql }, index) => sql(`$${String(index + 2)}`));
  if (order === 'asc') {
    wanted.push(`e.xid < ${HORIZON}`);
  }
  return {
    name: ['events_page', order, ...used.map(({ name }) => name)].join('_'),
    text: `SELECT ${EVENT_COLUMNS} FROM events e ${wanted.length > 0 ? `WHERE ${wanted.join(' AND ')}` : ''}
      ORDER BY e.xid ${order}, e.id ${order} LIMIT $1`,
    values: [limit, ...used.map(({ value }) => value)],
  };
}

function filterConditions({ deviceIds, userId, types, from, to, occurredFrom }: EventFilter): Condition[] {
  // One device is the common case, and only an equality reads its index in order.
  const only = deviceIds?.length === 1 ? deviceIds[0] : undefined;
  return [
    { name: 'device', value: only, sql: (value) => `e.device_id = ${value}::uuid` },
    { name: 'devices', value: only ? undefined : deviceIds, sql: (values) => `e.device_id = ANY(${values}::uuid[])` },
    { name: 'user', value: userId, sql: (value) => `e.user_id = ${value}::uuid` },
    { name: 'types', value: types, sql: (values) => `e.type = ANY(${values}::text[])` },
    { name: 'from', value: from, sql: (value) => `e.received_at >= ${value}::timestamptz` },
    { name: 'occurred', value: occurredFrom, sql: (value) => `e.occurred_at >= ${value}::timestamptz` },
    { name: 'to', value: to, sql: (value) => `e.received_at < ${value}::timestamptz` },
  ];
}

function positionConditions(after: LogPosition | undefined, before: LogPosition | undefined): Condition[] {
  const pair = (position: LogPosition | undefined): string[] | undefined =>
    position && [String(position.xid), String(position.id)];
  const compare = (operator: '<' | '>') => (value: string) =>
    `(e.xid, e.id) ${operator} ((${value}::text[])[1]::xid8, (${value}::text[])[2]::bigint)`;
  return [
    { name: 'after', value: pair(after), sql: compare('>') },
    { name: 'before', value: pair(before), sql: compare('<') },
  ];
}
