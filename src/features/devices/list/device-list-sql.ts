import { HAS_ORDER_LINK } from '../devices.types.js';
import { DEVICE_FIELDS, type DeviceField } from '../facts/device-fields.js';
import type { DeviceSort, DeviceSortColumn } from './device-list.types.js';
import { stateSql } from './device-state-sql.js';
import { visibleDevices } from './visible-devices-sql.js';

const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const LOCK = stateSql('lock', 'd.links');
const DOOR = stateSql('door', 'd.links');

const shownState = (kind: 'lock' | 'door', { value, evidence }: typeof LOCK): string =>
  `json_build_object('value', ${value}, 'evidence', ${evidence}, 'lastReported', d.${kind}_state,
    'reportedAt', ${iso(`d.${kind}_state_at`)})`;

/** The members of DeviceDto as JSON, of a row `d` with its open links; a test compares the two. */
const MEMBERS: Readonly<Record<DeviceField, string>> = {
  id: 'd.id',
  name: 'd.name',
  type: 'd.type',
  hardwareId: 'd.hardware_id',
  room: 'd.room',
  location: 'd.location',
  position: `CASE WHEN d.latitude IS NULL THEN NULL
    ELSE json_build_object('latitude', d.latitude, 'longitude', d.longitude) END`,
  metadata: 'd.metadata',
  timeZone: 'd.time_zone',
  status: 'd.status',
  firmwareVersion: 'd.firmware_version',
  battery: 'd.battery',
  batteryAt: iso('d.battery_at'),
  rssi: 'd.rssi',
  rssiAt: iso('d.rssi_at'),
  lockState: LOCK.value,
  doorState: DOOR.value,
  state: `json_build_object('lock', ${shownState('lock', LOCK)}, 'door', ${shownState('door', DOOR)})`,
  links: 'd.links',
  reachable: HAS_ORDER_LINK,
  lastSeenAt: iso('d.last_seen_at'),
  organizationId: 'd.organization_id',
  permission: 'd.permission',
  owned: 'd.owned',
  version: 'd.version',
  createdAt: iso('d.created_at'),
  updatedAt: iso('d.updated_at'),
};

/** A column to order by: how its values travel in a cursor, and whether a device may have none. */
interface SortKey {
  readonly column: string;
  readonly text: string;
  readonly cast: string;
  readonly isNullable?: true;
}

const KEYS: Readonly<Record<DeviceSortColumn, SortKey>> = {
  name: { column: 'd.name', text: 'd.name', cast: 'text' },
  createdAt: { column: 'd.created_at', text: iso('d.created_at'), cast: 'timestamptz' },
  lastSeenAt: { column: 'd.last_seen_at', text: iso('d.last_seen_at'), cast: 'timestamptz', isNullable: true },
  battery: { column: 'd.battery', text: 'd.battery::text', cast: 'int', isNullable: true },
  room: { column: 'd.room', text: 'd.room', cast: 'text', isNullable: true },
  type: { column: 'd.type', text: 'd.type::text', cast: 'device_type' },
  status: { column: 'd.status', text: 'd.status::text', cast: 'device_status' },
};

/** The name, room and location without accents and case: `folded` as SQL. */
const FOLDED = `lower(regexp_replace(normalize(concat_ws(' ', d.name, d.room, d.location), NFKD), '[\\u0300-\\u036f]', '', 'g'))`;

/** The filters, each open while its parameter is null. `owned` is the expression of the branch. */
const filters = (owned: string): string => `($3::device_type IS NULL OR d.type = $3)
      AND ($4::device_status IS NULL OR d.status = $4)
      AND ($5::text IS NULL OR d.room = $5)
      AND ($6::text IS NULL OR d.location = $6)
      AND ($7::uuid IS NULL OR d.organization_id = $7)
      AND ($8::boolean IS NULL OR ${owned} = $8)
      AND ($9::int IS NULL OR d.battery < $9)
      AND ($10::timestamptz IS NULL OR d.last_seen_at >= $10)
      AND ($11::text[] IS NULL OR (
        SELECT bool_and(h.names LIKE w.word OR coalesce(h.key LIKE w.key, false)) OR coalesce(bool_or(h.key LIKE $13), false)
        FROM (SELECT ${FOLDED} AS names, d.hardware_key AS key OFFSET 0) AS h, unnest($11::text[], $12::text[]) AS w(word, key)))`;

/** Types of the parameters before the position: the user, the size of the page, the filters, and the open shares. */
export const LIST_PARAMETER_TYPES =
  'uuid, int, device_type, device_status, text, text, uuid, boolean, int, timestamptz, text[], text[], text, uuid[], device_permission[]'.split(
    ', ',
  );
const OPEN_SHARES = LIST_PARAMETER_TYPES.indexOf('uuid[]') + 1;
const FIRST_POSITION = LIST_PARAMETER_TYPES.length + 1;

/** Types of the parameters of a position. */
export function positionTypes(sort: readonly DeviceSort[]): string[] {
  return [...sort.map(({ column }) => KEYS[column].cast), 'uuid'];
}

/**
 * The statement for one order. Ordered by the time of registration, PostgreSQL reads at most one page from the index of the
 * owner, and of each organization, and what is shared by its ids; in any other order, and with filters, it reads all devices of the user by the same
 * indexes and sorts them. So the devices of others cost nothing. A test checks the plans.
 * @param isNext for a page after the first
 * @param fields the members of each item, all when it is left out
 */
export function listStatement(
  sort: readonly DeviceSort[],
  isNext: boolean,
  fields: readonly DeviceField[] = DEVICE_FIELDS,
): string {
  const page = `ORDER BY ${order(sort)} LIMIT $2`;
  const branch = (owned: string): string => `${filters(owned)}${isNext ? ` AND ${beyond(sort)}` : ''} ${page}`;
  const members = fields.map((field) => `${MEMBERS[field]} AS "${field}"`).join(', ');
  const position = [...sort.map(({ column }) => KEYS[column].text), 'd.id::text'].join(', ');
  return `SELECT (SELECT row_to_json(i)::text FROM (SELECT ${members}) i) AS item, to_json(ARRAY[${position}])::text AS position
    FROM (
      SELECT d.*, ARRAY(SELECT l.kind::text FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind) AS links
      FROM (${visibleDevices(OPEN_SHARES, branch)}) d
      ${page}
    ) d
    ORDER BY ${order(sort)}`;
}

function order(sort: readonly DeviceSort[]): string {
  const keys = sort.map(({ column, isDescending }) => {
    const key = KEYS[column];
    return `${key.column} ${direction(isDescending)}${key.isNullable && isDescending ? ' NULLS LAST' : ''}`;
  });
  return [...keys, `d.id ${direction(sort.at(-1)?.isDescending)}`].join(', ');
}

function direction(isDescending = false): string {
  return isDescending ? 'DESC' : 'ASC';
}

/** The condition that a device comes after the position: later in one column, and alike in all before it. Null comes last. */
function beyond(sort: readonly DeviceSort[]): string {
  const idIsDescending = sort.at(-1)?.isDescending;
  const keys = [
    ...sort.map(({ column, isDescending }) => ({ ...KEYS[column], isDescending })),
    { column: 'd.id', cast: 'uuid', isNullable: undefined, isDescending: idIsDescending },
  ].map((key, index) => ({ ...key, value: `$${String(FIRST_POSITION + index)}::${key.cast}` }));
  const [first, last] = keys;
  if (keys.length === 2 && first && last && !first.isNullable) {
    // As a pair, which the index on both has as a range.
    return `(${first.column}, ${last.column}) ${first.isDescending ? '<' : '>'} (${first.value}, ${last.value})`;
  }
  const later = keys.map(({ column, value, isDescending, isNullable }) => {
    const than = `${column} ${isDescending ? '<' : '>'} ${value}`;
    return isNullable ? `(${than} OR (${value} IS NOT NULL AND ${column} IS NULL))` : than;
  });
  const alike = keys.map(({ column, value, isNullable }) =>
    isNullable ? `${column} IS NOT DISTINCT FROM ${value}` : `${column} = ${value}`,
  );
  return `(${later.map((each, index) => [...alike.slice(0, index), each].join(' AND ')).join(' OR ')})`;
}
