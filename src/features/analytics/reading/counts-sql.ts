import { countedEventsSql, IS_OF_OWNER, KIND_SQL } from '../../history/counts/counted-events.sql.js';

/** What a statement reads beside whole quarters, and how it divides the counts. */
export interface CountsShape {
  /** Parts of quarters at the edges of the time: their bounds are parameters, so that the planner sees how short they are. */
  readonly edges: number;
  /** Whether devices were handed over within the time: each has an edge of its own. */
  readonly hasHandovers: boolean;
  readonly by: CountsDivision;
}
/** `bucket`: by the points of a course; `device`: by device as well; `clock`: by the hour and weekday of a zone, of all types. */
export type CountsDivision = 'bucket' | 'device' | 'clock';

/** Parameters before the bounds of the edges. */
const PARAMETERS: Readonly<Record<CountsDivision, number>> = { bucket: 6, device: 6, clock: 7 };

/**
 * Counts of devices ($1), each from its first whole quarter on ($2) and of what its present owner may see ($3; null: of everything),
 * in whole quarters ($4, $5), by $6: the beginnings of buckets, or, for the clock, of stretches of time with the offset from UTC in
 * seconds that each has ($7). Then come the bounds of each edge, and for handovers the devices with the bounds of theirs.
 * @param hasLongBuckets of hours: the quarters of each are added up where they are read
 */
export function countsStatement({ edges, hasHandovers, by }: CountsShape, hasLongBuckets = false): string {
  const parameter = (index: number): string => `$${String(PARAMETERS[by] + index)}`;
  const [ids, sinces, untils] = [1, 2, 3].map((index) => parameter(2 * edges + index)) as [string, string, string];
  const counted = countedEventsSql({
    devices: { ids: '$1', firsts: '$2', sinces: '$3' },
    whole: { from: '$4', until: '$5' },
    ...(hasLongBuckets ? { starts: '$6' } : {}),
    edges: Array.from({ length: edges }, (_, edge) => ({
      from: parameter(2 * edge + 1),
      until: parameter(2 * edge + 2),
    })),
    handovers: hasHandovers ? { ids, sinces, untils } : null,
  });
  return by === 'clock' ? byClock(counted) : byBucket(counted, by);
}

// Sums of floating-point numbers are exact up to 2^53, and faster than those of integers, which are of any length.
function byBucket(counted: string, by: 'bucket' | 'device'): string {
  return `SELECT width_bucket(p.at, $6::timestamptz[]) - 1 AS bucket, ${by === 'device' ? 'p.device_id' : 'NULL'} AS device,
      p.type, p.kind, sum(p.count::float8) AS count, bool_or(p.hourly) AS "isHourly"
    FROM (${counted}) AS p GROUP BY 1, 2, 3, 4`;
}

/** Hours since a Monday: 1970 began with a Thursday. AT TIME ZONE would take most of the time of the statement, as texts would. */
function byClock(counted: string): string {
  return `SELECT ((floor(date_part('epoch', q.at))::bigint + ($7::int[])[width_bucket(q.at, $6::timestamptz[])]) / 3600 + 72)::int % 168 AS bucket,
      NULL AS device, '' AS type, '' AS kind, sum(q.count) AS count, bool_or(q.hourly) AS "isHourly"
    FROM (SELECT p.at, sum(p.count::float8) AS count, bool_or(p.hourly) AS hourly FROM (${counted}) AS p GROUP BY 1) AS q GROUP BY 1`;
}

/** The time, and up to when all events are counted: when the first was received that is not. */
export const COUNTED_UNTIL = `
  SELECT clock_timestamp() AS now, coalesce((SELECT e.received_at FROM events e WHERE (e.xid, e.id) > ((SELECT r.xid FROM event_readers r WHERE r.name = 'event_counts'),
      (SELECT r.event_id FROM event_readers r WHERE r.name = 'event_counts'))
    ORDER BY e.xid, e.id LIMIT 1), clock_timestamp()) AS "countedUntil"`;

/**
 * How long devices ($1), each from an instant on ($2), were offline in each bucket ($3: where they begin, $4: where they end), at a
 * time ($5).
 */
export const OFFLINE = `
  SELECT d.id AS device, b.place::int - 1 AS bucket,
    count(*) FILTER (WHERE b.place = 1 OR greatest(o.began_at, d.since) >= b.start)::int AS periods,
    sum(extract(epoch FROM least(coalesce(o.ended_at, $5::timestamptz), b.until, $5::timestamptz) - greatest(o.began_at, b.start, d.since)))::float8 AS seconds
  FROM unnest($1::uuid[], $2::timestamptz[]) AS d(id, since)
  JOIN device_offline_periods o ON o.device_id = d.id AND o.began_at < ($4::timestamptz[])[cardinality($4::timestamptz[])]
    AND (o.ended_at IS NULL OR o.ended_at > ($3::timestamptz[])[1])
  JOIN unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS b(start, until, place)
    ON greatest(o.began_at, b.start, d.since) < least(coalesce(o.ended_at, $5::timestamptz), b.until, $5::timestamptz)
  GROUP BY 1, 2`;

/** What is going on: orders of devices ($1) on their way, and their events of the last minutes ($2), with $3 as above. */
export const LIVE = `
  SELECT (SELECT count(*)::int FROM commands c WHERE c.device_id = ANY ($1::uuid[])
      AND c.state IN ('QUEUED', 'SENT', 'RECEIVED', 'EXECUTING')) AS "inFlight",
    coalesce((SELECT json_agg(k) FROM (
      SELECT e.type, ${KIND_SQL} AS kind, count(*)::int AS count
      FROM events e JOIN unnest($1::uuid[], $3::timestamptz[]) AS d(id, since) ON d.id = e.device_id
      WHERE e.received_at >= $2::timestamptz AND e.device_id = ANY ($1::uuid[]) AND ${IS_OF_OWNER}
      GROUP BY 1, 2) k), '[]') AS recent`;
