import { databaseTimeZone } from '../../../shared/time-zone.js';
import {
  countedEventsSql,
  type CountedEventsShape,
  countedPartsOf,
  firstWholeQuarterOf,
} from '../../analytics/reading/counted-events.types.js';
import { type DataScope, type DataSet, type Literal, namedDevices } from './data-set.types.js';

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
    SELECT p.device_id, n.name, (p.at AT TIME ZONE ${literal(databaseTimeZone(scope.timeZone))})::date AS day, sum(p.count) AS events,
      ${ofDoor('unlocked/%')} AS unlocks, ${ofDoor('locked/%')} AS locks, ${ofDoor('%open')} AS openings,
      ${counted(`p.type = 'motion_detected'`)} AS motions, ${counted(`p.type = 'command_created'`)} AS commands,
      ${counted(`p.type IN ('command_failed', 'command_timed_out', 'command_expired')`)} AS failed, bool_or(p.hourly) AS hourly
    FROM (${countedEventsSql(shapeOf(scope, literal))}) p JOIN ${namedDevices(scope, literal)} ON n.id = p.device_id
    GROUP BY 1, 2, 3) r ORDER BY r.name, r.device_id, r.day`,
};

/** Events that are not counted yet are read themselves: the report shows all that its snapshot has. */
function shapeOf({ devices, from, until }: DataScope, literal: Literal): CountedEventsShape {
  const span = {
    from: from === undefined ? -Infinity : Date.parse(from),
    until: until === undefined ? Infinity : Date.parse(until),
  };
  const known = devices.map((device) => ({
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

/** As PostgreSQL reads it. */
function instant(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : time > 0 ? 'infinity' : '-infinity';
}
