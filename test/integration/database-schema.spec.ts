/**
 * On which databases a process begins. Seen to fail: without the question at the start, with a table that is not there taken for a
 * fault, and with a schema that goes on under a running process taken for a wrong one.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { loadConfig } from '../../src/config/load-config.js';
import { DatabaseSchemaStore } from '../../src/platform/prisma/database-schema-store.js';
import { migrationNames } from '../../src/platform/prisma/migrations/migration-files.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';

const NEWEST = migrationNames().at(-1) ?? '';
const FUTURE = '20991231235959_of_a_later_release';
const ADD_FUTURE = `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '${FUTURE}', now())`;
const CURE = 'run `npm run db:migrate` (in the image: `node dist/src/migrate.js`).';

let migrated: TestDatabase;
let empty: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  [migrated, empty] = await Promise.all([createTestDatabase(), createEmptyDatabase()]);
  client = new pg.Client({ connectionString: utcConnection(migrated.url) });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await Promise.all([migrated.drop(), empty.drop()]);
});

function storeOf(env: Record<string, string> = {}): { store: DatabaseSchemaStore; told: string[] } {
  const config = loadConfig({
    NODE_ENV: 'test',
    REDIS_URL: 'redis://x',
    MASTER_KEY: Buffer.alloc(32).toString('base64'),
    DATABASE_URL: migrated.url,
    ...env,
  });
  const store = new DatabaseSchemaStore(config);
  const told: string[] = [];
  store.onUnfit(({ message }) => told.push(message));
  return { store, told };
}

/** In a transaction that is undone: each case begins with the migrated database. */
async function after(changes: string, work: () => Promise<void>): Promise<void> {
  await client.query(`BEGIN; ${changes}`);
  try {
    await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('A process on a database', () => {
  it('does not start on one that is not migrated, and says in one line what to do', async () => {
    const start = TestApp.start({ env: { DATABASE_URL: empty.url, ROLES: 'api' } });
    const { port, pathname, username } = new URL(empty.url);
    const database = `${pathname.slice(1)} at 127.0.0.1:${port} as ${username}`;
    await expect(start).rejects.toThrow(
      new Error(`Refusing to start: The database ${database} is not migrated: ${CURE}`),
    );
  });

  it('refuses one that is older, newer, or on an older server, and never shows the password', async () => {
    const { password } = new URL(migrated.url);
    const cases = [
      [
        `DELETE FROM _prisma_migrations WHERE migration_name = '${NEWEST}'`,
        `is older than this code, it lacks ${NEWEST}: ${CURE}`,
      ],
      [`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${NEWEST}'`, `it lacks ${NEWEST}`],
      [ADD_FUTURE, `is newer than this code, it has ${FUTURE}: start the release that migrated it`],
      // What a server of PostgreSQL 15 says of itself.
      [
        `CREATE FUNCTION current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT CASE $1 WHEN 'server_version' THEN '15.18' ELSE '150018' END$$;
         SET LOCAL search_path = public, pg_catalog`,
        'PostgreSQL 15.18 is too old: Mortise needs PostgreSQL 16 or newer.',
      ],
    ] as const;
    for (const [changes, message] of cases) {
      const { store, told } = storeOf();
      await after(changes, async () => {
        await expect(store.verify(client)).rejects.toThrow(message);
      });
      expect(told).toEqual([expect.stringContaining(message)]);
      expect(told.join()).not.toContain(password);
    }
  });

  it('begins on a newer one when it is told to, but on no older one', async () => {
    const { store, told } = storeOf({ ALLOW_NEWER_DATABASE: '1' });
    await after(ADD_FUTURE, () => store.verify(client));
    expect([store.version, told]).toEqual([FUTURE, []]);
    await after(`${ADD_FUTURE}; DELETE FROM _prisma_migrations WHERE migration_name = '${NEWEST}'`, async () => {
      await expect(storeOf({ ALLOW_NEWER_DATABASE: '1' }).store.verify(client)).rejects.toThrow(
        'is older than this code',
      );
    });
  });

  it('goes on, ready, while a later release migrates it further, and says which schema it sees', async () => {
    const app = await TestApp.start({ env: { DATABASE_URL: migrated.url, ROLES: 'api' } });
    const ready = async () => {
      const { status, body } = await request<{ details: object }>(app.url, 'GET', '/api/health/ready');
      return [status, body.details];
    };
    try {
      expect(await ready()).toEqual([200, expect.objectContaining({ postgres: { status: 'up', schema: NEWEST } })]);
      await client.query(ADD_FUTURE);
      await app.get(DatabaseSchemaStore).verify(client);
      expect(app.get(DatabaseSchemaStore).version).toBe(FUTURE);
      // A backup of before the migrations is another matter.
      await after('DELETE FROM _prisma_migrations', async () => {
        await expect(app.get(DatabaseSchemaStore).verify(client)).rejects.toThrow('is not migrated');
      });
    } finally {
      await app.stop();
    }
  });
});
