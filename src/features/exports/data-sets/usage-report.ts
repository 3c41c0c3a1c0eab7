import {
  type DataScope,
  type DataSet,
  deviceIds,
  handedOn,
  type Literal,
  namedDevices,
  timeConditions,
} from './data-set.types.js';

const counted = (condition: string): string => `coalesce(sum(c.count) FILTER (WHERE ${condition}), 0)`;
const ofDoor = (kind: string): string => counted(`c.type = 'door_status_changed' AND c.kind LIKE '${kind}'`);

/** How often devices were used, a row for each device and day on which something happened. */
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
  },
  from: (scope, literal) => `FROM (
    SELECT c.device_id, n.name, (c.at AT TIME ZONE ${literal(scope.timeZone)})::date AS day, sum(c.count) AS events,
      ${ofDoor('unlocked/%')} AS unlocks, ${ofDoor('locked/%')} AS locks, ${ofDoor('%open')} AS openings,
      ${counted(`c.type = 'motion_detected'`)} AS motions, ${counted(`c.type = 'command_created'`)} AS commands,
      ${counted(`c.type IN ('command_failed', 'command_timed_out', 'command_expired')`)} AS failed
    FROM event_counts c JOIN ${namedDevices(scope, literal)} ON n.id = c.device_id
    WHERE ${conditions(scope, literal).join(' AND ')} GROUP BY 1, 2, 3) r ORDER BY r.name, r.device_id, r.day`,
};

function conditions(scope: DataScope, literal: Literal): string[] {
  const earlier = handedOn(scope, literal);
  return [
    `c.device_id = ANY (${deviceIds(scope, literal)})`,
    ...timeConditions('c.at', scope, literal),
    // A quarter of an hour of which a part belongs to an earlier owner is left out.
    ...(earlier ? [`NOT EXISTS (SELECT FROM ${earlier} WHERE o.id = c.device_id AND c.at < o.at)`] : []),
  ];
}
