import { ceilQuarter, partsOf, type Span, type SpanParts } from '../../../shared/time/quarters.js';

/** What tells events `e` of one type apart when they are counted, as the reader of the counts finds it. A test compares the two. */
export const KIND_SQL = `CASE WHEN e.type = 'door_status_changed'
    THEN coalesce(e.payload->>'lockState', '') || '/' || coalesce(e.payload->>'doorState', '')
    WHEN e.type LIKE 'command\\_%' THEN coalesce(e.payload->>'name', '') ELSE '' END`;

/** The bounds of a time as expressions in SQL. */
interface SqlSpan {
  readonly from: string;
  readonly until: string;
}

/** What to count, as expressions in SQL: parameters, or literals where a statement takes none. */
export interface CountedEventsShape {
  /** Arrays: of the devices, of the first whole quarter of each, and since when its owner may see what happened to it (null: ever). */
  readonly devices: { readonly ids: string; readonly firsts: string; readonly sinces: string };
  readonly whole: SqlSpan;
  /**
   * An array: whole quarters are added up from each of these instants to the next, and bear the first of the two. Left out: each by
   * itself, which is faster where there are few between two.
   */
  readonly starts?: string;
  /** Parts of quarters at the edges of the time. Their bounds are no subqueries, so that the planner sees how short they are. */
  readonly edges: readonly SqlSpan[];
  /** Arrays: devices that were handed over within the time, and the bounds of what is left of that quarter; null: none were. */
  readonly handovers: { readonly ids: string; readonly sinces: string; readonly untils: string } | null;
  /** Also count the events of this time that the reader has not counted yet; left out: end where the reader is. */
  readonly uncounted?: SqlSpan;
}

const READER_AT = `(SELECT r.xid FROM event_readers r WHERE r.name = 'event_counts')`;
const READER_POSITION = `(${READER_AT}, (SELECT r.event_id FROM event_readers r WHERE r.name = 'event_counts'))`;
const COUNTED_UP_TO = `(e.xid, e.id) <= ${READER_POSITION}`;
/** The bounds of `xid` say nothing new: by a range of two bounds the planner expects few rows, and takes the index. */
const NOT_COUNTED = `(e.xid, e.id) > ${READER_POSITION} AND e.xid >= ${READER_AT} AND e.xid <= '18446744073709551615'::xid8`;
const OF_EVENT = `e.device_id, e.received_at AS at, e.type, ${KIND_SQL} AS kind, 1::bigint AS count, false AS hourly`;
/** Of a device `d`, whether its present owner may see an event `e`. */
export const IS_OF_OWNER = '(d.since IS NULL OR e.received_at >= d.since AND e.occurred_at >= d.since)';

/**
 * A query of rows `(device_id, at, type, kind, count, hourly)`: whole quarters, and single events where a time or a device begins or
 * ends within one, of one snapshot. `hourly`: a whole hour, counted before quarters were.
 */
export function countedEventsSql(shape: CountedEventsShape): string {
  const { devices, edges, handovers, uncounted } = shape;
  const within = ({ from, until }: SqlSpan): string =>
    `e.received_at >= ${from}::timestamptz AND e.received_at < ${until}::timestamptz
        AND e.device_id = ANY (${devices.ids}::uuid[]) AND ${IS_OF_OWNER}`;
  const ofEvents = (span: SqlSpan, position: string): string => `
      SELECT ${OF_EVENT} FROM events e JOIN d ON d.id = e.device_id
      WHERE ${within(span)} AND ${position}`;
  const parts = [
    ofQuarters(shape),
    ...edges.map((edge) => ofEvents(edge, COUNTED_UP_TO)),
    ...(handovers ? [ofHandovers(handovers)] : []),
    ...(uncounted ? [ofEvents(uncounted, NOT_COUNTED)] : []),
  ];
  return `WITH d AS (SELECT * FROM unnest(${devices.ids}::uuid[], ${devices.firsts}::timestamptz[], ${devices.sinces}::timestamptz[])
      AS d(id, first, since))${parts.join('\n      UNION ALL')}`;
}

function ofQuarters({ whole, starts }: CountedEventsShape): string {
  const [from, until] = [`${whole.from}::timestamptz`, `${whole.until}::timestamptz`];
  return starts === undefined
    ? `
      SELECT c.device_id, c.at, c.type, c.kind, c.count, c.minutes = 60 AS hourly
      FROM d JOIN event_counts c ON c.device_id = d.id AND c.at >= greatest(d.first, ${from}) AND c.at < ${until}`
    : `
      SELECT d.id AS device_id, b.start AS at, c.type, c.kind, c.count, c.hourly
      FROM d CROSS JOIN unnest(${starts}::timestamptz[], (${starts}::timestamptz[])[2:] || ${until}) AS b(start, until)
      CROSS JOIN LATERAL (
        SELECT c.type, c.kind, sum(c.count::float8) AS count, bool_or(c.minutes = 60) AS hourly FROM event_counts c
        WHERE c.device_id = d.id AND c.at >= greatest(d.first, ${from}, b.start) AND c.at < least(${until}, b.until) GROUP BY 1, 2) AS c`;
}

function ofHandovers({ ids, sinces, untils }: NonNullable<CountedEventsShape['handovers']>): string {
  return `
      SELECT ${OF_EVENT} FROM unnest(${ids}::uuid[], ${sinces}::timestamptz[], ${untils}::timestamptz[])
        AS d(id, since, until) CROSS JOIN LATERAL (
        SELECT * FROM events e WHERE e.device_id = d.id AND e.received_at >= d.since AND e.received_at < d.until OFFSET 0) AS e
      WHERE ${IS_OF_OWNER} AND ${COUNTED_UP_TO}`;
}

/** A device by when its owner may see what happened to it; null: ever. */
interface KnownDevice {
  readonly id: string;
  readonly since: Date | null;
}

/** What {@link countedEventsSql} reads of a time that may be endless, in milliseconds since 1970. */
export interface CountedParts extends SpanParts {
  readonly handovers: readonly (Span & { readonly id: string })[];
}

export function countedPartsOf(span: Span, devices: readonly KnownDevice[]): CountedParts {
  const parts = partsOf(span);
  return { ...parts, handovers: handoversIn(parts.whole, devices, -Infinity) };
}

/**
 * Handovers within a quarter of an hour, with what is left of it.
 * @param keptSince it is read from events, so only where those are kept that were received since
 */
export function handoversIn(
  whole: Span,
  devices: readonly KnownDevice[],
  keptSince: number,
): CountedParts['handovers'] {
  return devices.flatMap(({ id, since }) => {
    const [from, until] = [since?.getTime() ?? 0, firstWholeQuarterOf(since)];
    return from < until && from >= Math.max(whole.from, keptSince) && from < whole.until ? [{ id, from, until }] : [];
  });
}

/** When the first quarter begins of which a device's owner may see all; 0 for one that never had another owner. */
export function firstWholeQuarterOf(since: Date | null): number {
  return ceilQuarter(since?.getTime() ?? 0);
}
