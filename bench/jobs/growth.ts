import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DEVICE_SORT_COLUMNS, type DeviceSort } from '../../src/features/devices/list/device-list.types.js';
import { LIST_PARAMETER_TYPES, listStatement } from '../../src/features/devices/list/device-list-sql.js';
import { STATS_STATEMENT } from '../../src/features/devices/list/device-stats-sql.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createDatabase } from '../../tools/stack/postgres.js';
import { print } from '../../tools/stack/steps.js';
import { type Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const [SMALL, LARGE] = [1_000, 100_000];
/** Devices that the person owns, and as many of their organization, in both. */
const OWN = 200;
const ROUNDS = 200;
const PAGE = 51;
const AGREED = 1.5;

interface Installation {
  readonly client: pg.Client;
  readonly userId: string;
}

/** Each filter alone, by the place of its parameter. */
const FILTERS: Readonly<Record<string, Readonly<Record<number, unknown>>>> = {
  type: { 3: 'door_lock' },
  status: { 4: 'online' },
  room: { 5: 'Room 3' },
  location: { 6: 'Berlin' },
  owned: { 8: true },
  batteryBelow: { 9: 20 },
  seenSince: { 10: '2026-01-01T00:00:00Z' },
  q: { 11: ['%door%', '%7%'], 12: ['%DOOR%', null], 13: '%DOOR7%' },
};

/**
 * The statements of `GET /devices` and its counts for a person with 400 devices, among 1,000 of the platform and among 100,000,
 * in turns: what the devices of others cost.
 */
export async function growth(services: Services): Promise<void> {
  const small = await install(services, 'mortise_growth_small', SMALL);
  const large = await install(services, 'mortise_growth_large', LARGE);
  print(
    `List of a person with ${String(2 * OWN)} devices, n ${String(ROUNDS)} each, p95 in ms at ${String(SMALL)} and ${String(LARGE)}`,
  );
  const ratios: number[] = [];
  for (const [name, text, parameters] of variants()) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      times[0].push(await timed(small, name, text, parameters));
      times[1].push(await timed(large, name, text, parameters));
    }
    const [a, b] = times.map((each) => percentile(each, 95)) as [number, number];
    ratios.push(b / a);
    print(`  ${name.padEnd(24)} ${a.toFixed(2)}  ${b.toFixed(2)}  ${(b / a).toFixed(2)}`);
  }
  print(`  largest ratio ${Math.max(...ratios).toFixed(2)}, agreed ${String(AGREED)}`);
  await Promise.all([small.client.end(), large.client.end()]);
}

function variants(): [name: string, text: string, parameters: readonly unknown[]][] {
  const newest: DeviceSort[] = [{ column: 'createdAt', isDescending: true }];
  const none = Array<unknown>(LIST_PARAMETER_TYPES.length - 2).fill(null);
  return [
    ...DEVICE_SORT_COLUMNS.flatMap((column) =>
      [false, true].map((isDescending): [string, string, unknown[]] => [
        `sort=${isDescending ? '-' : ''}${column}`,
        listStatement([{ column, isDescending }], false),
        [PAGE, ...none],
      ]),
    ),
    ...Object.entries(FILTERS).map(([name, filter]): [string, string, unknown[]] => [
      `${name}=`,
      listStatement(newest, false),
      [PAGE, ...none.map((_each, index) => filter[index + 3] ?? null)],
    ]),
    ['stats', STATS_STATEMENT, [null, null]],
  ];
}

async function timed(
  { client, userId }: Installation,
  name: string,
  text: string,
  parameters: readonly unknown[],
): Promise<number> {
  const begin = performance.now();
  const { rows } = await client.query({ name, text, values: [userId, ...parameters] });
  if (rows.length === 0) {
    throw new Error(`${name} answered nothing.`);
  }
  return performance.now() - begin;
}

async function install({ databaseUrl }: Services, database: string, devices: number): Promise<Installation> {
  await createDatabase(databaseUrl, database);
  await migrate(databaseUrl(database));
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl(database)) });
  await client.connect();
  const [userId, organizationId] = [randomUUID(), randomUUID()];
  await client.query(`INSERT INTO users (id, email, display_name) VALUES ($1, 'own@example.com', 'Own')`, [userId]);
  await client.query(`INSERT INTO organizations (id, name) VALUES ($1, 'House')`, [organizationId]);
  await client.query(
    `INSERT INTO users (id, email, display_name)
     SELECT gen_random_uuid(), 'other-' || n || '@example.com', 'Other' FROM generate_series(1, $1::int) AS n`,
    [devices / 20],
  );
  await client.query(
    `INSERT INTO memberships (organization_id, user_id, role)
     SELECT $1::uuid, id, 'VIEWER'::organization_role FROM (SELECT id FROM users WHERE id <> $2 LIMIT 1) AS one UNION ALL SELECT $1, $2, 'OPERATOR'`,
    [organizationId, userId],
  );
  await client.query(
    `WITH people AS (SELECT id, row_number() OVER (ORDER BY email) - 1 AS place FROM users WHERE id <> $1)
     INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, room, location, status, battery, last_seen_at, created_at)
     SELECT gen_random_uuid(), CASE WHEN n <= $2 THEN $1 ELSE p.id END, CASE WHEN n > $2 AND n <= 2 * $2 THEN $3::uuid END,
       'Door ' || n, gen_random_uuid()::text, 'Room ' || n % 7, 'Berlin', (CASE n % 3 WHEN 0 THEN 'offline' ELSE 'online' END)::device_status,
       n % 100, now(), now() - n * interval '1 minute'
     FROM generate_series(1, $4::int) AS n JOIN people p ON p.place = n % ($4 / 20)`,
    [userId, OWN, organizationId, devices],
  );
  await client.query('VACUUM ANALYZE');
  return { client, userId };
}
