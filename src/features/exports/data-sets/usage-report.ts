import { clockStretches } from '../../../shared/time/wall-clock.js';
import { databaseTimeZone } from '../../../shared/time-zone.js';
import {
  countedEventsSql,
  type CountedEventsShape,
  countedPartsOf,
  firstWholeQuarterOf,
} from '../../history/counts/counted-events.sql.js';
import { type DataScope, type DataSet, type Literal, namedDevices } from './data-set.types.js';

const DAY_MS = 86_400_000;
const KNOWN_MS = 3_653 * DAY_MS;
const counted = (condition: string): string => `coalesce(sum(p.count) FILTER (WHERE ${condition}), 0)`;
const ofDoor = (kind: string): string => counted(`p.type = 'door_status_changed' AND p.kind LIKE '${kind}'`);

/** How often devices were used, a row for each device and day on which something happened: what analyses count, and what they will. */
export const USAGE_REPORT: DataSet = {
  columns: {
    deviceId: ['value', 'r.device_id'],
    deviceName: ['text', 'r.name'],
    day: ['value', 'r.day'],
    events: ['value', 'r.events'],
    unlocks: ['value', 'r.unlocks'],
    locks: ['value', 'r.locks'],
    openings: ['value', 'r.openings'],
    motions: ['value', 'r.motions'],
    commands: ['value', 'r.commands'],
    failedCommands: ['value', 'r.failed'],
    resolution: ['value', `CASE WHEN r.hourly THEN 'hour' ELSE 'quarter' END`],
  },
  from: (scope, literal) => `FROM (
    SELECT p.device_id, n.name, ${dayOf(scope, literal)} AS day, sum(p.count) AS events,
      ${ofDoor('unlocked/%')} AS unlocks, ${ofDoor('locked/%')} AS locks, ${ofDoor('%open')} AS openings,
      ${counted(`p.type = 'motion_detected'`)} AS motions, ${counted(`p.type = 'command_created'`)} AS commands,
      ${counted(`p.type IN ('command_failed', 'command_timed_out', 'command_expired')`)} AS failed, bool_or(p.hourly) AS hourly
    FROM (${countedEventsSql(shapeOf(scope, literal))}) p JOIN ${namedDevices(scope, literal)} ON n.id = p.device_id
    GROUP BY 1, 2, 3) r ORDER BY r.name, r.device_id, r.day`,
};

/**
 * The day of a row in the zone, by the rules that Node knows, as analyses find it: those of PostgreSQL may be of another year. What is
 * older than ten years is left to PostgreSQL.
 */
function dayOf(scope: DataScope, literal: Literal): string {
  const { timeZone } = scope;
  const { from, until } = spanOf(scope);
  const now = Date.now();
  const starts: string[] = [];
  const offsets: string[] = [];
  let last: number | undefined;
  for (const { from: start, offset } of clockStretches(
    Math.max(from, now - KNOWN_MS),
    Math.min(until, now + DAY_MS),
    timeZone,
  )) {
    if (offset !== last) {
      starts.push(instant(start));
      offsets.push(`${String(offset)} milliseconds`);
      last = offset;
    }
  }
  const place = `width_bucket(p.at, ${literal(`{${starts.join(',')}}`)}::timestamptz[])`;
  const shown = `p.at AT TIME ZONE 'UTC' + (${literal(`{${offsets.join(',')}}`)}::interval[])[${place}]`;
  return `coalesce(${shown}, p.at AT TIME ZONE ${literal(databaseTimeZone(timeZone))})::date`;
}

/** Events that are not counted yet are read themselves: the report shows all that its snapshot has. */
function shapeOf(scope: DataScope, literal: Literal): CountedEventsShape {
  const span = spanOf(scope);
  const known = scope.devices.map((device) => ({
    id: device.id,
    since: device.from === null ? null : new Date(device.from),
  }));
  const { whole, edges, handovers } = countedPartsOf(span, known);
  const array = (values: readonly string[]): string => literal(`{${values.join(',')}}`);
  const bounds = (times: { from: number; until: number }): { from: string; until: string } => ({
    from: literal(instant(times.from)),
    until: literal(instant(times.until)),
  });
  return {
    devices: {
      ids: array(known.map(({ id }) => id)),
      firsts: array(known.map(({ since }) => instant(firstWholeQuarterOf(since)))),
      sinces: array(known.map(({ since }) => since?.toISOString() ?? 'NULL')),
    },
    whole: bounds(whole),
    edges: edges.map(bounds),
    handovers:
      handovers.length === 0
        ? null
        : {
            ids: array(handovers.map(({ id }) => id)),
            sinces: array(handovers.map((handover) => instant(handover.from))),
            untils: array(handovers.map((handover) => instant(handover.until))),
          },
    uncounted: bounds(span),
  };
}

/** In milliseconds since 1970. */
export function spanOf({ from, until }: Pick<DataScope, 'from' | 'until'>): { from: number; until: number } {
  return {
    from: from === undefined ? -Infinity : Date.parse(from),
    until: until === undefined ? Infinity : Date.parse(until),
  };
}

/** As PostgreSQL reads it. */
function instant(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : time > 0 ? 'infinity' : '-infinity';
}
