/** The list of devices as one would write it without a framework: Fastify, pg, one query, no questions asked. */
import Fastify from 'fastify';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

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

const LIST = `SELECT d.id, d.organization_id, d.name, d.type, d.hardware_id, d.room, d.location, d.latitude, d.longitude, d.metadata,
    d.time_zone, d.status, d.firmware_version, d.battery, d.battery_at, d.rssi, d.rssi_at, d.lock_state, d.lock_state_at, d.door_state,
    d.door_state_at, d.last_seen_at, d.version, d.created_at, d.updated_at,
    ARRAY(SELECT l.kind::text FROM device_links l WHERE l.device_id = d.id ORDER BY l.kind) AS links
  FROM devices d WHERE d.owner_id = $1 ORDER BY d.created_at DESC, d.id DESC LIMIT $2`;

const pool = new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 });
const app = Fastify();

app.get<{ Params: { ownerId: string } }>('/owners/:ownerId/devices', async ({ params }) => {
  const { rows } = await pool.query<DeviceRow>({ name: 'list', text: LIST, values: [params.ownerId, 21] });
  return { items: rows.slice(0, 20).map(toItem), nextCursor: null };
});
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

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
    reachable: row.links.length > 0,
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
