import { EVENT_COLUMNS } from '../event-rows.js';
import {
  type EventFilter,
  filterConditions,
  HAS_WORDS,
  type PageBounds,
  positionConditions,
  whereAll,
  WORDS,
} from './event-conditions.js';
import { StatementWriter } from './statement-writer.js';

/** Entries that one page looks at, at most: what it costs depends neither on the log nor on how rare a thing is that is looked for. */
export const STRETCH = 5_000;
/** A way to entries in the order of the log by an index, or, without `column`, the log itself. */
interface Source {
  readonly column?: 'device_id' | 'user_id' | 'command_id';
  readonly keys: readonly string[];
}

const LOG: readonly Source[] = [{ keys: [''] }];

/** The narrowest ways to what a filter selects: an entry is reached by one of them. */
function sourcesOf({ commandId, deviceIds, userId, via }: EventFilter): readonly Source[] {
  if (commandId !== undefined) {
    return [{ column: 'command_id', keys: [commandId] }];
  }
  if (via === 'log') {
    return LOG;
  }
  const { userIds, deviceIds: ofDevices } = via ?? {
    userIds: deviceIds || userId === undefined ? [] : [userId],
    deviceIds: deviceIds ?? [],
  };
  const sources: Source[] = [
    { column: 'user_id', keys: userIds },
    { column: 'device_id', keys: ofDevices },
  ];
  return via || deviceIds || userId !== undefined ? sources.filter(({ keys }) => keys.length > 0) : LOG;
}

const nameOf = ({ column, keys }: Source): string => (column ?? 'log').replace('_id', keys.length > 1 ? 's' : '');

const isSingle = (sources: readonly Source[]): boolean => sources.flatMap(({ keys }) => keys).length === 1;

/**
 * One statement for each combination of conditions, each with its own plan: an optional condition in SQL would cost the index. Of each
 * source it reads a stretch, and says where the nearest of them ends that goes on: up to there the page is complete.
 */
export function pageStatement(filter: EventFilter, bounds: PageBounds): ReturnType<StatementWriter['statement']> {
  const { order, limit, isComplete } = bounds;
  const parts = new StatementWriter();
  const wanted = parts.add('', limit + 1);
  const sources = sourcesOf(filter);
  const conditions = filterConditions(filter, parts);
  const isNarrow = conditions.length > 0;
  const name = ['events_page', ...(isComplete ? ['complete'] : []), order, ...sources.map(nameOf)];
  const [only] = sources;
  if (only && isSingle(sources) && !isNarrow) {
    return parts.statement(name, wholeOf(only, bounds, parts, wanted));
  }
  conditions.push(...notTwice(sources, parts));
  const positions = positionConditions(filter, bounds, parts);
  const keys = sources.reduce((count, source) => count + source.keys.length, 0);
  const share = Math.ceil(STRETCH / Math.max(1, keys));
  const length = parts.add('', isNarrow ? share : Math.min(limit + 1, share));
  const isOneOfMany = !isSingle(sources);
  const reads = sources.map((source) => readOf(source, { positions, order, parts, length, isOneOfMany }));
  const rows = reads.map((read) => read.rows).join(' UNION ALL ');
  const end = reads.map((read) => read.end).join(' UNION ALL ');
  const inOrder = (of: string): string => `ORDER BY ${of}.xid ${order}, ${of}.id ${order}`;
  // Of one source the rows come in order, and are read until the page is full: where the stretch ends is asked for if it is not.
  const [stretch, ends] = isOneOfMany
    ? ['SELECT * FROM stretch', `stretch b WHERE b.place = ${length}`]
    : [rows, `${end} b WHERE (SELECT count(*) FROM page) < ${wanted}`];
  return parts.statement(
    name,
    `WITH ${isOneOfMany ? `stretch AS MATERIALIZED (${rows}), ` : ''}page AS MATERIALIZED (
       SELECT e.* FROM (${stretch}) e ${whereAll(conditions)} ${inOrder('e')} LIMIT ${wanted}
     ), edge AS MATERIALIZED (SELECT b.xid, b.id FROM ${ends} ${inOrder('b')} LIMIT 1)
     SELECT edge.xid::text AS edge_xid, edge.id::text AS edge_id, ${EVENT_COLUMNS}
       FROM (SELECT) AS always LEFT JOIN edge ON true LEFT JOIN page e ON true ${inOrder('e')}`,
  );
}

/** A page of a source of which all is wanted: there is no stretch without entries. */
function wholeOf({ column, keys }: Source, bounds: PageBounds, parts: StatementWriter, wanted: string): string {
  const where = [
    ...(column === undefined ? [] : [`e.${column} = ${parts.add('', keys[0])}::uuid`]),
    ...positionConditions({}, bounds, parts),
  ];
  return `SELECT NULL AS edge_xid, NULL AS edge_id, ${EVENT_COLUMNS} FROM events e ${whereAll(where)}
    ORDER BY e.xid ${bounds.order}, e.id ${bounds.order} LIMIT ${wanted}`;
}

/** Null where the index of words does not help: it knows whose an event is, and of which device. */
export function searchStatement(
  filter: EventFilter,
  bounds: PageBounds,
): ReturnType<StatementWriter['statement']> | null {
  const sources = sourcesOf(filter);
  const places = sources.flatMap(({ column, keys }) =>
    column === 'user_id' || column === 'device_id' ? keys.map((key) => `'${column.charAt(0)}:${key}'`) : [],
  );
  if (filter.words === undefined || places.length === 0) {
    return null;
  }
  const parts = new StatementWriter();
  const wanted = parts.add('', bounds.limit + 1);
  const search = `${parts.add('w', filter.words)}::text`;
  const scope = `${parts.add('p', places.join(' | '))}::tsquery`;
  // All that was found is in hand: neither sources nor words are looked for.
  const conditions = [
    ...filterConditions({ ...filter, via: 'log' }, parts, 'without words'),
    ...positionConditions(filter, bounds, parts),
  ];
  const inOrder = `ORDER BY e.xid ${bounds.order}, e.id ${bounds.order}`;
  return parts.statement(
    ['events_search', ...(bounds.isComplete ? ['complete'] : []), bounds.order],
    `WITH found AS MATERIALIZED (
       SELECT e.* FROM events e WHERE ${HAS_WORDS} AND numnode(event_query(${search})) > 0
          AND ${WORDS} @@ (event_query(${search}) && ${scope})
     ), hit AS MATERIALIZED (SELECT * FROM found LIMIT ${String(STRETCH + 1)}),
     page AS (SELECT e.* FROM hit e ${whereAll(conditions)} ${inOrder} LIMIT ${wanted})
     SELECT (SELECT count(*) FROM hit)::int AS hits, ${EVENT_COLUMNS}
       FROM (SELECT) AS always LEFT JOIN page e ON true ${inOrder}`,
  );
}

interface Reading {
  readonly positions: readonly string[];
  readonly order: 'asc' | 'desc';
  readonly parts: StatementWriter;
  readonly length: string;
  /** There are other sources, or other keys. */
  readonly isOneOfMany: boolean;
}

/** The entries of a source, each with its place among those of its key where there are several; and the last one of a stretch. */
function readOf(
  { column, keys }: Source,
  { positions, order, parts, length, isOneOfMany }: Reading,
): { readonly rows: string; readonly end: string } {
  const inOrder = `ORDER BY e.xid ${order}, e.id ${order}`;
  const [only, ...more] = keys;
  const isOne = more.length === 0;
  const value = column === undefined ? '' : parts.add('', isOne ? only : keys);
  // One key is the common case, and only an equality reads its index in order.
  const key = isOne ? `${value}::uuid` : 's.key';
  const from = `FROM events e ${whereAll([...(column === undefined ? [] : [`e.${column} = ${key}`]), ...positions])} ${inOrder}`;
  const rows = `SELECT e.* ${from} LIMIT ${length}`;
  const placed = `SELECT e.*, row_number() OVER (${inOrder}) AS place, ${String(column === 'device_id')} AS by_device FROM (${rows}) e`;
  return {
    rows: isOne
      ? `(${isOneOfMany ? placed : rows})`
      : `SELECT e.* FROM unnest(${value}::uuid[]) AS s(key) CROSS JOIN LATERAL (${placed}) AS e`,
    end: `(SELECT e.xid, e.id ${from} OFFSET ${length} - 1 LIMIT 1)`,
  };
}

/** What is left out of a second source because the first has it: a device was sold by a person who follows it still. */
function notTwice(sources: readonly Source[], parts: StatementWriter): string[] {
  const [first] = sources;
  return first && sources.length > 1
    ? [`(NOT e.by_device OR (e.user_id = ANY(${parts.add('', first.keys)}::uuid[])) IS NOT TRUE)`]
    : [];
}
