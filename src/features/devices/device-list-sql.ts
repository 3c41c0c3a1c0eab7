import { decidePermission } from './domain/device-access.js';
import { DEVICE_SORTS, type DeviceSort } from './devices.types.js';

/** Where the last page ended: the value it was ordered by, and the id that breaks ties. */
export interface DeviceCursor {
  readonly key: string;
  readonly id: string;
}

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Member by member what DeviceDto says; a test compares the two. */
const ITEM = `json_build_object(
  'id', d.id, 'name', d.name, 'type', d.type, 'hardwareId', d.hardware_id, 'room', d.room, 'timeZone', d.time_zone,
  'status', d.status, 'firmwareVersion', d.firmware_version, 'battery', d.battery, 'rssi', d.rssi,
  'lockState', d.lock_state, 'doorState', d.door_state,
  'links', ARRAY(SELECT l.kind FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind),
  'lastSeenAt', ${iso('d.last_seen_at')}, 'permission', '${String(decidePermission({ owner: true }))}', 'owned', true,
  'version', d.version, 'createdAt', ${iso('d.created_at')}, 'updatedAt', ${iso('d.updated_at')})::text AS item`;

const KEYS = {
  createdAt: { column: 'd.created_at', text: iso('d.created_at'), cast: 'timestamptz' },
  name: { column: 'd.name', text: 'd.name', cast: 'text' },
} as const;

export function isDescending(sort: DeviceSort): boolean {
  return sort.startsWith('-');
}

/**
 * One statement per order, and one more for pages after the first: PostgreSQL plans each of them once, and walks the
 * index from where the last page ended.
 */
export const LIST_STATEMENTS = Object.fromEntries(
  DEVICE_SORTS.map((sort) => [sort, { first: statement(sort, false), next: statement(sort, true) }]),
) as Record<DeviceSort, { first: string; next: string }>;

function statement(sort: DeviceSort, after: boolean): string {
  const key = sort === 'name' || sort === '-name' ? KEYS.name : KEYS.createdAt;
  const direction = isDescending(sort) ? 'DESC' : 'ASC';
  const beyond = `AND (${key.column}, d.id) ${isDescending(sort) ? '<' : '>'} ($7::${key.cast}, $8::uuid)`;
  return `SELECT ${ITEM}, ${key.text} AS key, d.id
    FROM devices d
    WHERE d.owner_id = $1
      AND ($3::device_type IS NULL OR d.type = $3)
      AND ($4::device_status IS NULL OR d.status = $4)
      AND ($5::text IS NULL OR d.room = $5)
      AND ($6::text IS NULL OR d.name ILIKE $6 OR d.room ILIKE $6 OR d.hardware_id ILIKE $6)
      ${after ? beyond : ''}
    ORDER BY ${key.column} ${direction}, d.id ${direction}
    LIMIT $2`;
}
