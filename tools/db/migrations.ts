import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm';
import { ROOT } from '../stack/paths.js';

export const MIGRATIONS = join(ROOT, 'prisma', 'migrations');
const SCHEMA = join(ROOT, 'prisma', 'schema');

/** Nothing is left out: every table and enum is ours. */
export const EVERYTHING: SchemaFilter = { externalTables: [], externalEnums: [] };

/** The migrations on disk, oldest first, in the form the engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: MIGRATIONS,
    lockfile: {
      path: './migration_lock.toml',
      content: await readFile(join(MIGRATIONS, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
}

/** The schema that the code is written against, all its files as one. */
export async function readSchema(): Promise<string> {
  const names = (await readdir(SCHEMA)).filter((name) => name.endsWith('.prisma')).sort();
  const files = await Promise.all(names.map((name) => readFile(join(SCHEMA, name), 'utf8')));
  return `${files.map((content) => content.trim()).join('\n\n')}\n`;
}
