/** The list reads one page, whatever the number of devices and memberships. Seen to fail: without its indexes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIST_STATEMENTS } from '../../src/features/devices/device-list-sql.js';
import { DEVICE_SORTS, type DeviceSort } from '../../src/features/devices/devices.types.js';
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
  await fixture.sql.rows('VACUUM ANALYZE users, organizations, memberships, devices');
}, 60_000);

afterAll(() => fixture.stop());

const TYPES = 'uuid, int, device_type, device_status, text, text, uuid[], device_permission[]';

/** The generic plan, which PostgreSQL uses for every user, whatever their number of devices. */
async function planOf(sort: DeviceSort, page: 'first' | 'next'): Promise<string> {
  const isName = sort.endsWith('name');
  const types = page === 'first' ? TYPES : `${TYPES}, ${isName ? 'text' : 'timestamptz'}, uuid`;
  const values = [`'${ada.id}'`, '51', ...Array<string>(4).fill('NULL'), "'{}'", "'{}'"];
  const after = [isName ? `'Door 2'` : `now() - interval '20 minutes'`, `'${ada.id}'`];
  await fixture.sql.rows('SET plan_cache_mode = force_generic_plan');
  await fixture.sql.rows(`PREPARE listed (${types}) AS ${LIST_STATEMENTS[sort][page]}`);
  const rows = await fixture.sql.rows<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) EXECUTE listed (${[...values, ...(page === 'next' ? after : [])].join(', ')})`,
  );
  await fixture.sql.rows('DEALLOCATE listed');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('The list of devices', () => {
  it.each(DEVICE_SORTS.flatMap((sort) => [[sort, 'first'] as const, [sort, 'next'] as const]))(
    'ordered by %s reads its %s page by index, one’s own and those of each organization',
    async (sort, page) => {
      const plan = await planOf(sort, page);
      expect(plan).not.toMatch(/Seq Scan on (devices|memberships)/);
      expect(plan).toContain('memberships_user_id_idx');
      expect(plan).toContain('devices_owner_id_created_at_id_idx');
      expect(plan).toContain('devices_organization_id_created_at_id_idx');
    },
  );

  it.each(['createdAt', '-createdAt'] as const)('ordered by %s reads no more than a page of each', async (sort) => {
    for (const page of ['first', 'next'] as const) {
      const reads = [...(await planOf(sort, page)).matchAll(/on devices \S+ \(actual rows=([\d.]+)/g)];
      expect(reads.length).toBeGreaterThan(1);
      expect(Math.max(...reads.map(([, rows]) => Number(rows)))).toBeLessThanOrEqual(51);
    }
  });
});
