import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import { Failure } from '../stack/failure.js';
import { EVERYTHING, readMigrations } from './migrations.js';
import { withSchemaEngine } from './schema-engine.js';

/**
 * Applies the migrations that a database does not have yet, oldest first, and records them as
 * `prisma migrate deploy` would. Answers the names of those applied.
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
      throw new Failure(`The migration ${names.join(', ')} failed and was undone: ${database.scriptError.message}`);
    }
  });
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
