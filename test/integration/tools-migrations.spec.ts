/**
 * Drift: the database that the migrations make is the one that the schema describes, but for what the schema cannot
 * say. Seen to fail: with a column added to the schema alone, and with an index dropped in the migration.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { diffSchemas } from '../../tools/db/diff.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { readSchema } from '../../tools/db/schema.js';
import { MIGRATIONS, readMigrations } from '../../src/platform/prisma/migrations/migration-files.js';
import { ROOT } from '../../tools/stack/paths.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

/** Written by hand in the migrations, with the reason why the schema cannot say it. */
const HAND_WRITTEN: readonly { readonly pattern: RegExp; readonly because: string }[] = [
  { pattern: /^function cache_touch(_\w+)?$/, because: 'Prisma knows no functions: they name the tags of a change' },
  {
    pattern: /^trigger \w+\.\w+_cache(_update|_login)?$/,
    because: 'Prisma knows no triggers: they call those functions',
  },
  { pattern: /^partitions events by RANGE \(received_at\)$/, because: 'Prisma knows no partitions' },
  { pattern: /^function (make|drop|purge)_event_partition$/, because: 'they make those partitions and drop them' },
  { pattern: /^function count_purged$/, because: 'Prisma knows no functions: it counts what is deleted' },
  { pattern: /^function latest_xact_id$/, because: 'Prisma knows no functions: it is the default of a position' },
  {
    pattern: /^function event_(words|query)$/,
    because: 'Prisma knows no functions: what an index of words has, and is asked',
  },
  {
    pattern: /^index CREATE INDEX events_(words|command_id_xid_id)_idx .* WHERE /,
    because: 'Prisma knows no partial indexes, and none of an expression',
  },
  { pattern: /^included event_counts_pkey\.count$/, because: 'Prisma knows no INCLUDE' },
  { pattern: /^constraint event_log\.event_log_single_row CHECK/, because: 'Prisma knows no check constraints' },
  {
    pattern: /^index CREATE INDEX (webhook_deliveries|notifications|notification_messages)_\w+ .* WHERE /,
    because: 'Prisma knows no partial indexes',
  },
  {
    pattern: /^constraint webhook_endpoints\.webhook_endpoints_one_owner CHECK/,
    because: 'Prisma knows no check constraints',
  },
  { pattern: /^index CREATE (UNIQUE )?INDEX commands_\w+ .* WHERE /, because: 'Prisma knows no partial indexes' },
  {
    pattern: /^index CREATE UNIQUE INDEX signing_keys_single_idx .* WHERE /,
    because: 'Prisma knows no partial indexes',
  },
  {
    pattern:
      /^index CREATE INDEX (sessions_live|device_credentials_(revoked|expires)|device_settings_unpublished|devices_offline|users_deleted)_idx .* WHERE /,
    because: 'Prisma knows no partial indexes',
  },
  {
    pattern: /^constraint device_shares\.device_shares_(one_level|schedule) CHECK /,
    because: 'Prisma knows no checks: what a share may hang on, and that a schedule is an object',
  },
  {
    pattern: /^index CREATE UNIQUE INDEX devices_registered_hardware_key .* WHERE /,
    because: 'Prisma knows no partial indexes',
  },
  {
    pattern: /^(function (set_)?hardware_key|trigger (\w+)\.\3_hardware_key)$/,
    because: 'Prisma knows no triggers: the key follows from the hardware id, whoever writes it',
  },
  {
    pattern: /^index CREATE INDEX one_time_tokens_(registration_idx .* WHERE |over_idx .*LEAST\()/,
    because: 'Prisma knows no indexes on expressions',
  },
  {
    pattern: /^index CREATE INDEX users_search_idx .* gin_trgm_ops\)$/,
    because: 'Prisma knows no indexes on expressions',
  },
  {
    pattern: /^(function refuse_audit_change|trigger audit_entries\.audit_entries_are_final)$/,
    because: 'Prisma knows no triggers',
  },
  {
    pattern: /^(function set_updated_at|trigger (\w+)\.\2_updated_at)$/,
    because: 'Prisma knows no triggers: the time of a change comes from the database clock',
  },
  {
    pattern: /^(function set_email_since|trigger users\.users_email_since)$/,
    because: 'Prisma knows no triggers: no change of an address may leave its age behind',
  },
];

/**
 * One line per thing in the catalog; partitions are storage, not schema, sequences belong to their column, and what an
 * extension brings belongs to the extension.
 */
const CATALOG = `
  WITH tables AS (
    SELECT c.oid, c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> '_prisma_migrations'
  )
  SELECT 'table ' || relname AS line FROM tables
  UNION ALL
  SELECT format('partitions %s by %s', relname, pg_get_partkeydef(oid)) FROM tables WHERE relkind = 'p'
  UNION ALL
  SELECT format('column %s.%s %s%s%s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''))
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT 'index ' || regexp_replace(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), ' INCLUDE \\([^)]*\\)', '')
  FROM tables t JOIN pg_index i ON i.indrelid = t.oid
  UNION ALL
  SELECT format('included %s.%s', i.indexrelid::regclass, a.attname)
  FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum > i.indnkeyatts
  UNION ALL
  SELECT format('constraint %s.%s %s', t.relname, c.conname, regexp_replace(pg_get_constraintdef(c.oid), ' INCLUDE \\([^)]*\\)', ''))
  FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype <> 'n'
  UNION ALL
  SELECT format('trigger %s.%s', t.relname, g.tgname) FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT 'function ' || p.proname FROM pg_proc p
  WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
  UNION ALL
  SELECT format('enum %s %s', t.typname, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
  ORDER BY line`;

/** The functions of defaults. */
const DEFAULT_FUNCTIONS = `
  SELECT pg_get_functiondef(p.oid) AS line FROM pg_proc p
  WHERE p.oid IN (SELECT refobjid FROM pg_depend WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_proc'::regclass)
  ORDER BY p.oid`;

describe('migrations', () => {
  let migrated: TestDatabase;
  let described: TestDatabase;

  beforeAll(async () => {
    [migrated, described] = await Promise.all([createEmptyDatabase(), createEmptyDatabase()]);
  });
  afterAll(async () => {
    await Promise.all([migrated.drop(), described.drop()]);
  });

  it('are applied once, in order, and recorded as Prisma records them', async () => {
    const names = (await readMigrations()).migrationDirectories.map(({ path }) => path);
    expect(await migrate(migrated.url)).toEqual(names);
    expect(await migrate(migrated.url)).toEqual([]);
    const recorded = await query(
      migrated,
      `SELECT migration_name AS line FROM _prisma_migrations
       WHERE finished_at IS NOT NULL AND length(checksum) = 64 ORDER BY started_at`,
    );
    expect(recorded).toEqual(names);
  });

  it('make the database that the schema describes', async () => {
    const script = (await diffSchemas(described.url, undefined, await readSchema())) ?? '';
    // Defaults of the schema call functions that only a migration can make.
    const functions = await query(migrated, DEFAULT_FUNCTIONS);
    await connected(described, (client) => client.query([...functions, script].join(';\n')));
    const [actual, wanted] = await Promise.all([query(migrated, CATALOG), query(described, CATALOG)]);
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((line) => !actual.includes(line))).toEqual([]);
    expect(actual.filter((line) => !wanted.includes(line) && !isHandWritten(line))).toEqual([]);
  });

  it('have no exception on their list that nothing needs', async () => {
    const actual = await query(migrated, CATALOG);
    expect(HAND_WRITTEN.filter(({ pattern }) => !actual.some((line) => pattern.test(line)))).toEqual([]);
  });

  it('keep the schema that the next migration starts from', async () => {
    expect(await readFile(join(MIGRATIONS, 'schema.snapshot'), 'utf8')).toBe(await readSchema());
  });

  it('are applied by the program of the image, which says to which database, and by two of them at once', async () => {
    const fresh = await createEmptyDatabase();
    const { password, port, pathname, username } = new URL(fresh.url);
    const names = (await readMigrations()).migrationDirectories.map(({ path }) => path);
    const target = `Migrating the database ${pathname.slice(1)} at 127.0.0.1:${port} as ${username}\n`;
    const said = await Promise.all([
      migrateInProcess({ DATABASE_URL: fresh.url }),
      migrateInProcess({ DATABASE_URL: fresh.url }),
    ]);
    const wrong = fresh.url.replace(password, 'another-password');
    const refused = await migrateInProcess({ DATABASE_URL: wrong });
    await fresh.drop();
    expect(said.map(({ stdout }) => stdout).sort()).toEqual([
      `${target}Applied: ${names.join(', ')}\n`,
      `${target}The database is up to date.\n`,
    ]);
    expect(refused).toEqual({
      code: 1,
      stdout: target,
      stderr: expect.stringMatching(/^PostgreSQL does not answer \(.*password authentication failed.*\n$/),
    });
  });

  it('are applied to no database that was not named', async () => {
    expect(await migrateInProcess({})).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^DATABASE_URL is missing\. .*\n$/),
    });
  });

  it('are safe against two migrators at once', async () => {
    const shared = await createEmptyDatabase();
    const applied = await Promise.all([migrate(shared.url), migrate(shared.url), migrate(shared.url)]);
    await shared.drop();
    expect(applied.flat()).toEqual((await readMigrations()).migrationDirectories.map(({ path }) => path));
  });
});

/** The program of the image, with these variables alone. */
async function migrateInProcess(
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = join(ROOT, 'dist', 'src', 'migrate.js');
  const child = spawn(process.execPath, [program], { env, timeout: 30_000 });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout: await stdout, stderr: await stderr };
}

function isHandWritten(line: string): boolean {
  return HAND_WRITTEN.some(({ pattern }) => pattern.test(line));
}

async function query(database: TestDatabase, sql: string): Promise<string[]> {
  return connected(database, async (client) =>
    (await client.query<{ line: string }>(sql)).rows.map(({ line }) => line),
  );
}

async function connected<T>(database: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: utcConnection(database.url) });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
