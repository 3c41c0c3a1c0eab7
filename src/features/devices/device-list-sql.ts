import { ORGANIZATION_ROLES } from '../../contracts/resources.js';
import { permissionOfRole } from '../sharing/device-permission.types.js';
import { DEVICE_SORTS, type DeviceSort } from './devices.types.js';

/** The end of the last page: the value it was ordered by, and the id that breaks ties. */
export type DevicePosition = readonly [key: string, id: string];

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The members of DeviceDto as JSON; a test compares the two. */
const ITEM = `json_build_object(
  'id', d.id, 'name', d.name, 'type', d.type, 'hardwareId', d.hardware_id, 'room', d.room, 'timeZone', d.time_zone,
  'status', d.status, 'firmwareVersion', d.firmware_version, 'battery', d.battery, 'rssi', d.rssi,
  'lockState', d.lock_state, 'doorState', d.door_state,
  'links', ARRAY(SELECT l.kind FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind),
  'lastSeenAt', ${iso('d.last_seen_at')}, 'organizationId', d.organization_id,
  'permission', d.permission, 'owned', d.owned,
  'version', d.version, 'createdAt', ${iso('d.created_at')}, 'updatedAt', ${iso('d.updated_at')})::text AS item`;

const KEYS = {
  createdAt: { column: 'd.created_at', text: iso('d.created_at'), cast: 'timestamptz' },
  name: { column: 'd.name', text: 'd.name', cast: 'text' },
} as const;

export function isDescending(sort: DeviceSort): boolean {
  return sort.startsWith('-');
}

const OWNED = `'admin'::device_permission AS permission, true AS owned`;

/** The devices that are shared with the user and open now, with what each share gives. */
const OPEN_SHARES = 'unnest($7::uuid[], $8::device_permission[]) AS s(device_id, permission)';

/** What a member may do: what gives the most counts, as in `decidePermission`. */
const OF_ORGANIZATION = `greatest(CASE m.role ${ORGANIZATION_ROLES.map(
  (role) => `WHEN '${role}' THEN '${permissionOfRole(role)}'::device_permission`,
).join(' ')} END, (SELECT s.permission FROM ${OPEN_SHARES} WHERE s.device_id = d.id)) AS permission, false AS owned`;

/**
 * One statement per order, and one more for pages after the first. PostgreSQL plans each of them once, and reads at most
 * one page from the index of the owner, and of each organization. Ordered by name, it reads all devices of the user by
 * the same indexes and sorts them. A test checks the plans.
 */
// SQL: a keyset
export const LIST_STATEMENTS = Object.fromEntries(
  DEVICE_SORTS.map((sort) => [sort, { first: statement(sort, false), next: statement(sort, true) }]),
) as Record<DeviceSort, { first: string; next: string }>;

function statement(sort: DeviceSort, after: boolean): string {
  const key = sort === 'name' || sort === '-name' ? KEYS.name : KEYS.createdAt;
  const direction = isDescending(sort) ? 'DESC' : 'ASC';
  const beyond = `AND (${key.column}, d.id) ${isDescending(sort) ? '<' : '>'} ($9::${key.cast}, $10::uuid)`;
  const filters = `($3::device_type IS NULL OR d.type = $3)
      AND ($4::device_status IS NULL OR d.status = $4)
      AND ($5::text IS NULL OR d.room = $5)
      AND ($6::text IS NULL OR d.name ILIKE $6 OR d.room ILIKE $6 OR d.hardware_id ILIKE $6)
      ${after ? beyond : ''}`;
  const page = `ORDER BY ${key.column} ${direction}, d.id ${direction} LIMIT $2`;
  return `SELECT ${ITEM}, ${key.text} AS key, d.id
    FROM (
      (SELECT d.*, ${OWNED} FROM devices d WHERE d.owner_id = $1 AND ${filters} ${page})
      UNION ALL
      SELECT d.*, ${OF_ORGANIZATION} FROM memberships m CROSS JOIN LATERAL (
        SELECT d.* FROM devices d WHERE d.organization_id = m.organization_id AND d.owner_id <> $1 AND ${filters} ${page}
      ) d WHERE m.user_id = $1
      UNION ALL
      SELECT d.*, s.permission, false AS owned FROM ${OPEN_SHARES} JOIN devices d ON d.id = s.device_id
      WHERE d.owner_id <> $1 AND ${filters} AND NOT EXISTS (
        SELECT FROM memberships m WHERE m.organization_id = d.organization_id AND m.user_id = $1
      )
    ) d
    ${page}`;
}
