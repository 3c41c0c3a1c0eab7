/** The migration to keys of hardware ids, on a database that has devices: none is lost, and each has an owner since it was made. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import pg from 'pg';
import { MIGRATIONS, readMigrations } from '../../src/platform/prisma/migrations/migration-files.js';
import { createEmptyDatabase } from '../support/postgres.js';

const MIGRATION = '20261201020100_whose_device';

it('gives each device of an owner a key of its own, the eldest that of its number', async () => {
  const database = await createEmptyDatabase();
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    const names = (await readMigrations()).migrationDirectories.map(({ path }) => path);
    const apply = async (name: string): Promise<unknown> =>
      client.query(await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
    for (const name of names.slice(0, names.indexOf(MIGRATION))) {
      await apply(name);
    }
    const [ada, bob] = [randomUUID(), randomUUID()];
    await client.query(
      `INSERT INTO users (id, email, display_name) VALUES ($1, 'ada@example.com', 'Ada'), ($2, 'bob@example.com', 'Bob')`,
      [ada, bob],
    );
    const devices = `INSERT INTO devices (id, owner_id, name, hardware_id, created_at, updated_at)
      SELECT gen_random_uuid(), n.owner, n.name, n.number, n.at, n.at FROM (VALUES ($1::uuid, 'old', 'AA:BB', '2026-01-01T00:00Z'::timestamptz),
        ($1, 'new', 'AA-BB', '2026-02-01T00:00Z'), ($2::uuid, 'other', 'AABB', '2026-03-01T00:00Z')) AS n(owner, name, number, at)`;
    await client.query(devices, [ada, bob]);
    await apply(MIGRATION);
    const { rows } = await client.query(
      `SELECT name, hardware_id, replace(hardware_key, id::text, 'ID') AS key, owned_since = created_at AS since, updated_at = created_at AS kept
       FROM devices ORDER BY created_at`,
    );
    expect(rows).toEqual([
      { name: 'old', hardware_id: 'AA:BB', key: 'AABB', since: true, kept: true },
      { name: 'new', hardware_id: 'AA-BB', key: 'AABB#ID', since: true, kept: true },
      { name: 'other', hardware_id: 'AABB', key: 'AABB', since: true, kept: true },
    ]);
    await expect(
      client.query(
        `INSERT INTO devices (id, owner_id, name, hardware_id) VALUES (gen_random_uuid(), $1, 'x', 'a.a b_b')`,
        [bob],
      ),
    ).rejects.toMatchObject({ constraint: 'devices_registered_hardware_key' });
  } finally {
    await client.end();
    await database.drop();
  }
});
