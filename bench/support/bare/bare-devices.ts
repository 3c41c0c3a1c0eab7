import type { FastifyInstance } from 'fastify';
import type pg from 'pg';

interface DeviceRow {
  id: string;
  name: string;
  organization_id: string | null;
  type: string;
  hardware_id: string;
  room: string | null;
  location: string | null;
  latitude: number | null;
  longitude: number | null;
  metadata: object;
  time_zone: string;
  status: string;
  firmware_version: string | null;
  battery: number | null;
  battery_at: Date | null;
  rssi: number | null;
  rssi_at: Date | null;
  lock_state: string | null;
  lock_state_at: Date | null;
  door_state: string | null;
  door_state_at: Date | null;
  links: string[];
  last_seen_at: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `d.id, d.organization_id, d.name, d.type, d.hardware_id, d.room, d.location, d.latitude, d.longitude, d.metadata,
    d.time_zone, d.status, d.firmware_version, d.battery, d.battery_at, d.rssi, d.rssi_at, d.lock_state, d.lock_state_at, d.door_state,
    d.door_state_at, d.last_seen_at, d.version, d.created_at, d.updated_at,
    ARRAY(SELECT l.kind::text FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind) AS links`;

const LIST = `SELECT ${COLUMNS} FROM devices d WHERE d.owner_id = $1 ORDER BY d.created_at DESC, d.id DESC LIMIT $2`;
const GET = `SELECT ${COLUMNS} FROM devices d WHERE d.owner_id = $1 AND d.id = $2`;

/** The devices of an owner, who is believed: Fastify, pg, one query. */
export function addDeviceList(app: FastifyInstance, pool: pg.Pool): void {
  app.get<{ Params: { ownerId: string } }>('/owners/:ownerId/devices', async ({ params }) => {
    const { rows } = await pool.query<DeviceRow>({ name: 'list', text: LIST, values: [params.ownerId, 21] });
    return { items: rows.slice(0, 20).map(toItem), nextCursor: null };
  });
}

export function addDeviceGet(app: FastifyInstance, pool: pg.Pool): void {
  app.get<{ Params: { ownerId: string; id: string } }>('/owners/:ownerId/devices/:id', async ({ params }, reply) => {
    const { rows } = await pool.query<DeviceRow>({ name: 'get', text: GET, values: [params.ownerId, params.id] });
    return rows[0] ? toItem(rows[0]) : reply.code(404).send({});
  });
}

/** The same JSON as Mortise answers to the owner. */
function toItem(row: DeviceRow): object {
  return {
    id: row.id,
    name: row.name,
    organizationId: row.organization_id,
    type: row.type,
    hardwareId: row.hardware_id,
    room: row.room,
    location: row.location,
    position: row.latitude === null ? null : { latitude: row.latitude, longitude: row.longitude },
    metadata: row.metadata,
    timeZone: row.time_zone,
    status: row.status,
    firmwareVersion: row.firmware_version,
    battery: row.battery,
    batteryAt: row.battery_at,
    rssi: row.rssi,
    rssiAt: row.rssi_at,
    lockState: shown(row, row.lock_state),
    doorState: shown(row, row.door_state),
    state: {
      lock: toState(row, row.lock_state, row.lock_state_at),
      door: toState(row, row.door_state, row.door_state_at),
    },
    links: row.links,
    reachable: row.links.some((kind) => kind !== 'http'),
    lastSeenAt: row.last_seen_at,
    permission: 'admin',
    owned: true,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function shown({ links }: DeviceRow, state: string | null): string | null {
  return state !== null && links.length === 0 ? 'unknown' : state;
}

function toState(row: DeviceRow, state: string | null, reportedAt: Date | null): object {
  const evidence = state === null ? 'none' : row.links.length === 0 ? 'stale' : 'report';
  return { value: shown(row, state), evidence, lastReported: state, reportedAt };
}
