/** How PostgreSQL reads the counts of an analysis. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { countsStatement } from '../../src/features/analytics/reading/counts-sql.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: utcConnection(database.url) });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('The counts of an analysis', () => {
  it('are read from the index alone, because those of one device lie all over the table', async () => {
    await client.query(`INSERT INTO event_counts (at, device_id, type, count)
      SELECT q, ('00000000-0000-4000-8000-' || lpad(to_hex(d), 12, '0'))::uuid, 'motion_detected', 1
      FROM generate_series(timestamptz '2026-01-01Z', '2026-01-31Z', '15 minutes') q CROSS JOIN generate_series(1, 20) d ORDER BY q`);
    await client.query('VACUUM ANALYZE event_counts');
    const device = '00000000-0000-4000-8000-000000000001';
    const planOf = async (hasLongBuckets: boolean): Promise<string> => {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, TIMING OFF) ${countsStatement({ edges: 0, hasHandovers: false, by: 'bucket' }, hasLongBuckets)}`,
        [[device], ['1970-01-01Z'], [null], '2026-01-10Z', '2026-01-20Z', ['2026-01-10Z', '2026-01-15Z']],
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const scan = 'Index Only Scan using event_counts_pkey on event_counts c ';
    expect(await planOf(false)).toMatch(new RegExp(`${scan}.*actual rows=960[^]*Heap Fetches: 0`));
    expect(await planOf(true)).toMatch(new RegExp(`${scan}.*actual rows=480(.00)? loops=2[^]*Heap Fetches: 0`));
  });

  it('are in pages that PostgreSQL looks through again as soon as a few are new', async () => {
    const { rows } = await client.query<{ reloptions: string[] }>(
      `SELECT reloptions FROM pg_class WHERE relname = 'event_counts'`,
    );
    expect(rows[0]?.reloptions).toEqual([
      'autovacuum_vacuum_scale_factor=0.02',
      'autovacuum_vacuum_insert_scale_factor=0.01',
    ]);
  });
});
