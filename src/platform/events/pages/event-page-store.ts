import { Injectable } from '@nestjs/common';
import { Database } from '../../prisma/database.js';
import type { EventFilter, PageBounds } from './event-conditions.js';
import { pageStatement, searchStatement, STRETCH } from './event-page-sql.js';
import { type EventRow, type LogEntry, toEntry } from '../event-rows.js';
import { EventStore } from '../event-store.js';
import { isAfter, type LogPosition, toPosition } from '../log-position.js';

/** Entries that a filter selects, in the direction in which the log was read. */
export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Where to read on; null: there is nothing more. */
  readonly end: LogPosition | null;
}

/** Where nothing was found, the one row has no event. */
type Found<T> = { [K in keyof EventRow]: EventRow[K] | null } & T;
type PageRow = Found<{ edge_xid: string | null; edge_id: string | null }>;
type SearchRow = Found<{ hits: number }>;

/** Reads pages of the log in both directions. A page may be empty and have more behind it: it looks at a stretch of the log. */
@Injectable()
export class EventPageStore {
  constructor(
    private readonly database: Database,
    private readonly store: EventStore,
  ) {}

  /** Up to `limit` entries from a place on. */
  async list(filter: EventFilter, bounds: PageBounds): Promise<LogPage> {
    const generation = await this.store.generation();
    const found = await this.search(generation, filter, bounds);
    return found ?? this.listStretch(generation, filter, bounds);
  }

  /** Null where too many events have the words, or the index does not have whose they are: then they are looked for stretch by stretch. */
  private async search(generation: string, filter: EventFilter, bounds: PageBounds): Promise<LogPage | null> {
    const statement = searchStatement(filter, bounds);
    if (!statement) {
      return null;
    }
    const { name, text, values } = statement;
    // SQL: a keyset: in the order of xid8
    const rows = await this.database.query<SearchRow>(name, text, values);
    if ((rows[0]?.hits ?? 0) > STRETCH) {
      return null;
    }
    return cut(entriesOf(generation, rows), null, bounds.limit);
  }

  private async listStretch(generation: string, filter: EventFilter, bounds: PageBounds): Promise<LogPage> {
    const { name, text, values } = pageStatement(filter, bounds);
    // SQL: a keyset: in the order of xid8
    const rows = await this.database.query<PageRow>(name, text, values);
    const [first] = rows;
    const edge = first?.edge_xid && first.edge_id ? toPosition(first.edge_xid, first.edge_id) : null;
    const isBeyond = ({ position }: LogEntry): boolean =>
      edge !== null && (bounds.order === 'asc' ? isAfter(position, edge) : isAfter(edge, position));
    // Beyond the nearest end of a stretch, entries of its source are missing.
    const entries = entriesOf(generation, rows).filter((entry) => !isBeyond(entry));
    return cut(entries, edge, bounds.limit);
  }
}

function entriesOf(generation: string, rows: readonly Found<object>[]): LogEntry[] {
  return rows.flatMap((row) => (row.id === null ? [] : [toEntry(generation, row as EventRow)]));
}

function cut(found: readonly LogEntry[], edge: LogPosition | null, limit: number): LogPage {
  const entries = found.slice(0, limit);
  return { entries, end: found.length > limit ? (entries.at(-1)?.position ?? null) : edge };
}
