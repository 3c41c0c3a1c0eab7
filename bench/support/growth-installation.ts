import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createDatabase } from '../../tools/stack/postgres.js';
import { provideRedis, startRedis } from '../../tools/stack/redis.js';
import { HttpClient } from './http-client.js';
import { type Server, startMortise } from './servers.js';
import { type Services } from './services.js';

/** Devices that the person owns, as many that are shared with them, and as many of their organization. */
export const EACH = 50;
/** Every fourth of them is of others as well, so that all are spread over the platform in the same way. */
const PLACES = 4 * EACH;
export const ORGANIZATION_ID = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66';
const [DEVICES_OF_ONE, DEVICES_OF_ORGANIZATION] = [20, 100];
const NEWEST = '2026-11-30T00:00:00Z';

/** A platform with so many devices: a database, a server for it, and a person who is signed in. */
export interface GrowthInstallation {
  readonly client: pg.Client;
  readonly server: Server;
  readonly http: HttpClient;
  readonly userId: string;
  readonly authorization: string;
}

/** Whatever its size, the person sees the same devices, to the last member: so the answers of two can be compared. */
export async function installGrowth(services: Services, devices: number): Promise<GrowthInstallation> {
  const url = services.databaseUrl;
  const database = `mortise_growth_${String(devices)}`;
  await createDatabase(url, database);
  await migrate(url(database));
  // A Redis of its own, because a queue and a limit there belong to one database.
  const { url: redisUrl } = await startRedis(services.supervisor, await provideRedis());
  const server = await startMortise({ ...services, redisUrl, databaseUrl: () => url(database) }, { ROLES: 'api' });
  const http = new HttpClient(server.url, 1);
  const account = { email: 'own@example.com', password: randomUUID() };
  const { id: userId } = await http.post<{ id: string }>('/auth/register', account);
  const client = new pg.Client({ connectionString: utcConnection(url(database)) });
  await client.connect();
  await fill(client, userId, devices);
  const { accessToken } = await http.post<{ accessToken: string }>('/auth/login', {
    identifier: account.email,
    password: account.password,
  });
  return { client, server, http, userId, authorization: `Bearer ${accessToken}` };
}

async function fill(client: pg.Client, userId: string, devices: number): Promise<void> {
  await client.query(
    `INSERT INTO users (id, email, display_name)
     SELECT gen_random_uuid(), 'other-' || n || '@example.com', 'Other' FROM generate_series(1, $1::int) AS n`,
    [devices / DEVICES_OF_ONE],
  );
  await client.query(
    `INSERT INTO organizations (id, name)
     SELECT $1::uuid, 'House' UNION ALL SELECT md5('house' || n)::uuid, 'House ' || n FROM generate_series(1, $2::int) AS n`,
    [ORGANIZATION_ID, devices / DEVICES_OF_ORGANIZATION],
  );
  await client.query(
    `INSERT INTO memberships (organization_id, user_id, role)
     SELECT $1::uuid, $2::uuid, 'OPERATOR'::organization_role UNION ALL
     SELECT md5('house' || 1 + row_number() OVER (ORDER BY email) % $3)::uuid, id, 'MANAGER' FROM users WHERE id <> $2`,
    [ORGANIZATION_ID, userId, devices / DEVICES_OF_ORGANIZATION],
  );
  await client.query(DEVICES, [
    userId,
    devices,
    devices / PLACES,
    devices / DEVICES_OF_ONE,
    devices / DEVICES_OF_ORGANIZATION,
    ORGANIZATION_ID,
    NEWEST,
  ]);
  await client.query(
    `INSERT INTO device_shares (id, device_id, email, user_id, permission)
     SELECT gen_random_uuid(), d.id, u.email, u.id, 'view'::device_permission FROM devices d JOIN users u ON u.id = $1 WHERE d.location = 'Shared'
     UNION ALL
     SELECT gen_random_uuid(), d.id, u.email, u.id, 'control' FROM (
       SELECT id, owner_id, row_number() OVER (ORDER BY hardware_id) AS place FROM devices
       WHERE location <> 'Shared' AND room = 'Room 3') d
     JOIN users u ON u.email = 'other-' || (1 + d.place % $2) || '@example.com' AND u.id <> d.owner_id`,
    [userId, devices / DEVICES_OF_ONE],
  );
  await client.query('VACUUM ANALYZE');
}

/** Of each four places of the person the first is theirs, the second shared with them, and the third of their organization. */
const DEVICES = `
  WITH people AS (SELECT id, row_number() OVER (ORDER BY email) - 1 AS place FROM users WHERE id <> $1::uuid),
  numbered AS (
    SELECT n, n / $3::int AS place, CASE WHEN n % $3::int = 0 THEN n / $3::int % 4 ELSE 3 END AS kind, n % $3::int = 0 AS is_fixed
    FROM generate_series(1, $2::int) AS n)
  INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, room, location, status, battery, last_seen_at,
    created_at, updated_at, owned_since)
  SELECT CASE WHEN is_fixed THEN overlay(overlay(md5('device' || d.place) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid ELSE gen_random_uuid() END,
    CASE WHEN kind = 0 THEN $1::uuid ELSE p.id END,
    CASE WHEN kind = 2 THEN $6::uuid WHEN kind = 3 AND n % 2 = 0 THEN md5('house' || 1 + n % $5::int)::uuid END,
    'Door ' || d.place, CASE WHEN is_fixed THEN 'place-' || d.place ELSE 'other-' || n END, 'Room ' || d.place % 7,
    CASE kind WHEN 1 THEN 'Shared' ELSE 'Berlin' END,
    (CASE d.place % 3 WHEN 0 THEN 'offline' ELSE 'online' END)::device_status, d.place % 100, at, at, at, at
  FROM numbered d JOIN people p ON p.place = n % $4::int
  CROSS JOIN LATERAL (SELECT $7::timestamptz - n * (interval '1 minute' / $3::int) AS at) AS time
  ORDER BY n`;
