import type { MigrationList, SchemaEngine, SchemaFilter } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { utcConnection } from '../utc-connection.js';
import { databaseName } from './database-name.js';
import { MigrationError } from './migration.errors.js';
import { migrationNames, readMigrations } from './migration-files.js';
import { withSchemaEngine } from './schema-engine.js';
import { readApplied } from './schema-version.js';

/** Nothing is left out: every table and enum is ours. */
export const EVERYTHING: SchemaFilter = { externalTables: [], externalEnums: [] };

/**
 * Applies the migrations that a database does not have yet, oldest first, and records them as
 * `prisma migrate deploy` would. Of several that migrate at once, one works and the others wait for it.
 * @returns the names of those applied
 * @throws MigrationError, DatabaseUnreachableError, UnfitDatabaseError
 */
export async function migrate(databaseUrl: string): Promise<readonly string[]> {
  const migrationsList = await readMigrations();
  return withSchemaEngine(databaseUrl, async (engine, database) => {
    await database.lockMigrations();
    await forgetFailed(engine, migrationsList);
    try {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: EVERYTHING });
      return appliedMigrationNames;
    } catch (error) {
      if (!database.scriptError) {
        throw error;
      }
      const names = await forgetFailed(engine, migrationsList);
      throw new MigrationError(
        `The migration ${names.join(', ')} failed and was undone: ${database.scriptError.message}`,
      );
    }
  });
}

/** As {@link migrate}. It says first which database this is, because the operator may have meant another one, and then what was done. */
export async function migrateAloud(databaseUrl: string, print: (line: string) => void): Promise<void> {
  print(`Migrating the database ${databaseName(databaseUrl)}`);
  const applied = await migrate(databaseUrl);
  const unknown = await findUnknown(databaseUrl);
  if (applied.length > 0) {
    print(`Applied: ${applied.join(', ')}`);
  } else if (unknown.length === 0) {
    print('The database is up to date.');
  }
  if (unknown.length > 0) {
    print(`The database is newer than this code, it has ${unknown.join(', ')}`);
  }
}

/** Migrations of a later release. */
async function findUnknown(databaseUrl: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl) });
  await client.connect();
  try {
    const known = migrationNames();
    return (await readApplied(client)).filter((name) => !known.includes(name));
  } finally {
    await client.end();
  }
}

/** A migration is one transaction: one that failed, or was killed, left nothing behind and may be tried again. */
async function forgetFailed(engine: SchemaEngine, migrationsList: MigrationList): Promise<readonly string[]> {
  const history = { migrationsList, optInToShadowDatabase: false, filters: EVERYTHING };
  const { failedMigrationNames } = await engine.diagnoseMigrationHistory(history);
  for (const migrationName of failedMigrationNames) {
    await engine.markMigrationRolledBack({ migrationName });
  }
  return failedMigrationNames;
}
