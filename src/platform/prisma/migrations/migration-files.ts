import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { ROOT_FOLDER } from '../../../config/build.js';

/** In a clone, and in the image. */
export const MIGRATIONS = join(ROOT_FOLDER, 'prisma', 'migrations');

/** The names of the migrations that this code knows, oldest first. */
export function migrationNames(): readonly string[] {
  return readdirSync(MIGRATIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The migrations with their SQL, in the form that the engine takes. */
export async function readMigrations(): Promise<MigrationList> {
  const lockfile = 'migration_lock.toml';
  return {
    baseDir: MIGRATIONS,
    lockfile: { path: `./${lockfile}`, content: await readFile(join(MIGRATIONS, lockfile), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      migrationNames().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
}
