/** The list reads one page, whatever the number of devices and memberships. Seen to fail: without its indexes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIST_PARAMETER_TYPES, listStatement, positionTypes } from '../../src/features/devices/list/device-list-sql.js';
import {
  DEVICE_SORT_COLUMNS,
  type DeviceSort,
  type DeviceSortColumn,
} from '../../src/features/devices/list/device-list.types.js';
import { STATS_STATEMENT } from '../../src/features/devices/list/device-stats-sql.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';

let fixture: OrganizationsFixture;
let ada: InsertedAccount;

/** 500 organizations of 20 members each, 20,000 devices in them; Ada owns 400 and is in 3 with 400 more each. */
beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
  ada = await fixture.createAccount('ada');
  await fixture.sql.rows(
    `INSERT INTO users (id, email, display_name)
     SELECT gen_random_uuid(), 'crowd-' || n || '@example.com', 'Crowd' FROM generate_series(1, 1000) AS n`,
  );
  await fixture.sql.rows(
    `INSERT INTO organizations (id, name) SELECT gen_random_uuid(), 'House ' || n FROM generate_series(1, 500) AS n`,
  );
  await fixture.sql.rows(
    `WITH people AS (SELECT id, row_number() OVER () AS n FROM users WHERE email LIKE 'crowd-%'),
          houses AS (SELECT id, row_number() OVER () AS n FROM organizations)
     INSERT INTO memberships (organization_id, user_id, role)
     SELECT h.id, p.id, 'VIEWER' FROM houses h JOIN people p ON p.n % 50 = h.n % 50`,
  );
  await fixture.sql.rows(
    `INSERT INTO memberships (organization_id, user_id, role)
     SELECT id, $1, 'OPERATOR' FROM (SELECT id FROM organizations ORDER BY id LIMIT 3) AS hers`,
    [ada.id],
  );
  await fixture.sql.rows(
    `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, created_at)
     SELECT gen_random_uuid(), m.user_id, m.organization_id, 'Door ' || n, gen_random_uuid()::text,
            now() - n * interval '1 minute'
     FROM (SELECT DISTINCT ON (organization_id) organization_id, user_id FROM memberships WHERE user_id <> $1
           ORDER BY organization_id) AS m
     CROSS JOIN LATERAL generate_series(1, CASE WHEN EXISTS (
       SELECT 1 FROM memberships hers WHERE hers.organization_id = m.organization_id AND hers.user_id = $1
     ) THEN 400 ELSE 40 END) AS n`,
    [ada.id],
  );
  await fixture.sql.rows(
    `INSERT INTO devices (id, owner_id, name, hardware_id, created_at)
     SELECT gen_random_uuid(), $1, 'Mine ' || n, gen_random_uuid()::text, now() - n * interval '1 minute'
     FROM generate_series(1, 400) AS n`,
    [ada.id],
  );
  const others = await fixture.sql.rows<{ id: string }>(
    `SELECT d.id FROM devices d WHERE NOT EXISTS (
       SELECT FROM memberships m WHERE m.organization_id = d.organization_id AND m.user_id = $1) AND d.owner_id <> $1 LIMIT 3`,
    [ada.id],
  );
  shares = [`'{${others.map(({ id }) => id).join(',')}}'`, `'{view,control,admin}'`];
  await fixture.sql.rows('VACUUM ANALYZE users, organizations, memberships, devices');
}, 60_000);

afterAll(() => fixture.stop());

/** Each filter alone, by the place of its parameter. */
const FILTERS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  none: {},
  type: { 3: `'door_lock'` },
  status: { 4: `'unknown'` },
  room: { 5: `'Hall'` },
  location: { 6: `'Berlin'` },
  organizationId: { 7: `'00000000-0000-4000-8000-000000000000'` },
  owned: { 8: 'true' },
  batteryBelow: { 9: '20' },
  seenSince: { 10: 'now()' },
  q: { 11: `ARRAY['%door%','%7%']`, 12: `ARRAY['%DOOR%','%7%']`, 13: `'%DOOR7%'` },
};
/** Three devices of the crowd are shared with Ada. */
let shares: readonly [ids: string, permissions: string];
const POSITIONS: Readonly<Record<DeviceSortColumn, string>> = {
  name: `'Door 2'`,
  createdAt: `now() - interval '20 minutes'`,
  lastSeenAt: 'NULL',
  battery: '20',
  room: `'Hall'`,
  type: `'door_lock'`,
  status: `'unknown'`,
};

const SORTS: readonly (readonly [string, readonly DeviceSort[]])[] = [
  ...DEVICE_SORT_COLUMNS.flatMap((column) =>
    [false, true].map((isDescending) => [`${isDescending ? '-' : ''}${column}`, [{ column, isDescending }]] as const),
  ),
  [
    'type,-battery,name',
    [
      { column: 'type', isDescending: false },
      { column: 'battery', isDescending: true },
      { column: 'name', isDescending: false },
    ],
  ],
];

/** The generic plan, which PostgreSQL uses for every user, whatever their number of devices. */
async function planOf(sort: readonly DeviceSort[], page: 'first' | 'next', filter = 'none'): Promise<string> {
  const types = [...LIST_PARAMETER_TYPES, ...(page === 'next' ? positionTypes(sort) : [])];
  const filters = Array.from({ length: LIST_PARAMETER_TYPES.length - 2 }, (_, n) => FILTERS[filter]?.[n + 3] ?? 'NULL');
  filters.splice(-2, 2, ...shares);
  const after = [...sort.map(({ column }) => POSITIONS[column]), `'${ada.id}'`];
  const values = [`'${ada.id}'`, '51', ...filters, ...(page === 'next' ? after : [])];
  return planned(types, listStatement(sort, page === 'next'), values);
}

async function planned(types: readonly string[], statement: string, values: readonly string[]): Promise<string> {
  await fixture.sql.rows('SET plan_cache_mode = force_generic_plan');
  await fixture.sql.rows(`PREPARE listed (${types.join(', ')}) AS ${statement}`);
  const rows = await fixture.sql.rows<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) EXECUTE listed (${values.join(', ')})`,
  );
  await fixture.sql.rows('DEALLOCATE listed');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** Most rows of devices that one node of the plan reads. */
const mostRead = (plan: string): number => {
  const reads = [...plan.matchAll(/on devices \S+ \(actual rows=([\d.]+)/g)].map(([, rows]) => Number(rows));
  expect(reads.length).toBeGreaterThan(0);
  return Math.max(...reads);
};

function expectIndexes(plan: string): void {
  expect(plan).not.toMatch(/Seq Scan on (devices|memberships)/);
  expect(plan).toContain('memberships_user_id_idx');
  expect(plan).toContain('devices_pkey');
  expect(plan).toMatch(/devices_owner_id_\w*idx/);
  expect(plan).toMatch(/devices_organization_id_\w*idx/);
}

describe('The list of devices', () => {
  it.each(SORTS)('ordered by %s reads one’s own and those of each organization by index', async (_name, sort) => {
    for (const page of ['first', 'next'] as const) {
      const plan = await planOf(sort, page);
      expectIndexes(plan);
      const isByAge = sort[0]?.column === 'createdAt';
      expect(mostRead(plan)).toBeLessThanOrEqual(isByAge ? 51 : 400);
    }
  });

  it.each(Object.keys(FILTERS))('filtered by %s reads no device of others', async (filter) => {
    const plan = await planOf([{ column: 'createdAt', isDescending: true }], 'next', filter);
    expectIndexes(plan);
    expect(mostRead(plan)).toBeLessThanOrEqual(400);
  });

  it('is counted from the same indexes', async () => {
    const plan = await planned(['uuid', 'uuid[]', 'device_permission[]'], STATS_STATEMENT, [`'${ada.id}'`, ...shares]);
    expectIndexes(plan);
  });
});
