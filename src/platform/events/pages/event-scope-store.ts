import { Injectable } from '@nestjs/common';
import type { EventScope } from '../../../contracts/events.js';
import { arrayParam } from '../../prisma/array-param.js';
import { Database } from '../../prisma/database.js';
import { EVENT_COLUMNS, type EventRow, HORIZON, type LogEntry, toEntry } from '../event-rows.js';
import { EventStore } from '../event-store.js';
import { LOG_START, type LogPosition, toPosition } from '../log-position.js';

/** What a stretch of the log has for a scope. */
export interface ScopePage {
  readonly entries: LogEntry[];
  /** Everything up to here was read; null: there is nothing behind the position that was asked from. */
  readonly end: LogPosition | null;
  /** The log goes on behind `end`. */
  readonly more: boolean;
  /** The last position that retention had taken by then: of the same moment as the rest. */
  readonly dropped: LogPosition;
  /** When it was read, by the clock of the database. */
  readonly readAt: Date;
}

/** Entries of the log that one page looks through: what it costs does not depend on how many devices a person follows. */
const SPAN = 5_000;

/** Where nothing concerns the scope, the one row has no event; and no end where the log has nothing at all behind the position. */
type ScopeRow = { [K in keyof EventRow]: EventRow[K] | null } & {
  end_xid: string | null;
  end_id: string | null;
  /** Entries that were looked through; null where an index finds those of the scope. */
  scanned: number | null;
  dropped_xid: string;
  dropped_id: string;
  read_at: Date;
};

/** Reads the log forwards for persons who follow more than what is their own. */
@Injectable()
export class EventScopeStore {
  constructor(
    private readonly database: Database,
    private readonly store: EventStore,
  ) {}

  /**
   * The last event of which it is certain that the log is complete before it; what is not certain yet, comes behind it. An event
   * that exists, or did until retention took it, and not where the log may go on: who follows from there is up to date as soon
   * as that is published.
   */
  async findLast(): Promise<LogPosition> {
    // SQL: something Prisma cannot say: xid8
    const [row] = await this.database.query<{ xid: string; id: string }>(
      'events_last',
      `SELECT last.xid::text, last.id::text FROM (
         (SELECT e.xid, e.id FROM events e WHERE e.xid < ${HORIZON} ORDER BY e.xid DESC, e.id DESC LIMIT 1)
         UNION ALL SELECT l.dropped_xid, l.dropped_id FROM event_log l
       ) last ORDER BY last.xid DESC, last.id DESC LIMIT 1`,
    );
    return row ? toPosition(row.xid, row.id) : LOG_START;
  }

  /** The next `limit` entries after a position that concern a scope, as far as it is certain that the log is complete. */
  async listPage(scope: EventScope, after: LogPosition, limit: number): Promise<ScopePage> {
    const generation = await this.store.generation();
    const rows = await (isOwnOnly(scope) ? this.listOwn(scope, after, limit) : this.listSpan(scope, after, limit));
    const [first] = rows;
    if (!first) {
      throw new Error('The event log has no generation: the database is not migrated.');
    }
    const found = rows.filter(hasEvent).map((row) => toEntry(generation, row));
    const entries = found.slice(0, limit);
    const isCut = found.length > limit;
    const end = hasEnd(first) ? toPosition(first.end_xid, first.end_id) : null;
    return {
      entries,
      end: isCut ? (entries.at(-1)?.position ?? null) : end,
      more: isCut || first.scanned === SPAN,
      dropped: toPosition(first.dropped_xid, first.dropped_id),
      readAt: first.read_at,
    };
  }

  /** A person's own events have an index: they are found however far they are apart. */
  private listOwn({ userId }: EventScope, after: LogPosition, limit: number): Promise<ScopeRow[]> {
    // SQL: a keyset: in the order of xid8
    return this.database.query<ScopeRow>('events_of_own', PAGE_OF_OWN, [after.xid, after.id, limit + 1, userId]);
  }

  private listSpan(scope: EventScope, after: LogPosition, limit: number): Promise<ScopeRow[]> {
    // SQL: a keyset: in the order of xid8
    return this.database.query<ScopeRow>('events_in_scope', PAGE_IN_SCOPE, [
      after.xid,
      after.id,
      limit + 1,
      scope.withoutOwn ? null : scope.userId,
      scope.organizationIds,
      scope.deviceIds,
      scope.types,
    ]);
  }
}

/** What a page has besides events, in one row whatever it finds. */
const SCOPE_COLUMNS = `l.dropped_xid::text, l.dropped_id::text, clock_timestamp() AS read_at,
    last.xid::text AS end_xid, last.id::text AS end_id, last.scanned`;

/** It ends where the log does, and not with the last event found: the cursor of who has few events does not fall out of the log. */
const PAGE_OF_OWN = `SELECT ${SCOPE_COLUMNS}, ${EVENT_COLUMNS}
    FROM event_log l
    LEFT JOIN (
      SELECT e.xid, e.id, NULL::int AS scanned FROM events e WHERE e.xid < ${HORIZON} ORDER BY e.xid DESC, e.id DESC LIMIT 1
    ) last ON (last.xid, last.id) > ($1::xid8, $2::bigint)
    LEFT JOIN (
      SELECT * FROM events e WHERE e.user_id = $4::uuid AND (e.xid, e.id) > ($1::xid8, $2::bigint) AND e.xid < ${HORIZON}
       ORDER BY e.xid, e.id LIMIT $3
    ) e ON true
   ORDER BY e.xid, e.id`;

const PAGE_IN_SCOPE = `WITH span AS (
    SELECT * FROM events e WHERE (e.xid, e.id) > ($1::xid8, $2::bigint) AND e.xid < ${HORIZON}
     ORDER BY e.xid, e.id LIMIT ${String(SPAN)}
  )
  SELECT ${SCOPE_COLUMNS}, ${EVENT_COLUMNS}
    FROM event_log l
    LEFT JOIN (SELECT xid, id, count(*) OVER ()::int AS scanned FROM span ORDER BY xid DESC, id DESC LIMIT 1) last ON true
    LEFT JOIN (
      SELECT * FROM span
       WHERE user_id = $4::uuid OR device_id = ANY (${arrayParam(6, 'uuid')}) OR type = ANY (${arrayParam(7, 'text')})
          OR device_id IN (SELECT id FROM devices WHERE organization_id = ANY (${arrayParam(5, 'uuid')}))
       ORDER BY xid, id LIMIT $3
    ) e ON true
   ORDER BY e.xid, e.id`;

function hasEvent(row: ScopeRow): row is ScopeRow & EventRow {
  return row.id !== null;
}

function hasEnd(row: ScopeRow): row is ScopeRow & { end_xid: string; end_id: string } {
  return row.end_xid !== null;
}

function isOwnOnly({ organizationIds, deviceIds, types }: EventScope): boolean {
  return organizationIds.length === 0 && deviceIds.length === 0 && types.length === 0;
}
