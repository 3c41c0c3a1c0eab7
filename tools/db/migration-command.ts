/**
 * `npm run db:migration -- <name>`: writes the migration from the last migrated schema to the present one, for you to
 * read and complete by hand. `npm run db:migration -- --adopt` says that the migrations already cover the schema.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../stack/command.js';
import { openDatabase } from '../stack/database.js';
import { Failure } from '../stack/failure.js';
import { print } from '../stack/steps.js';
import { diffSchemas } from './diff.js';
import { MIGRATIONS } from '../../src/platform/prisma/migrations/migration-files.js';
import { readSchema } from './schema.js';

/** The schema as the newest migration left it: the engine cannot read it back from a database. */
const SNAPSHOT = join(MIGRATIONS, 'schema.snapshot');

const [name] = process.argv.slice(2);

await runCommand(async (supervisor) => {
  if (!name || !/^(--adopt|[a-z][a-z0-9_]*)$/.test(name)) {
    throw new Failure('Give the migration a name in snake_case: npm run db:migration -- add_device_room');
  }
  const current = await readSchema();
  if (name !== '--adopt') {
    await writeMigration(name, current, await openDatabase(supervisor));
  }
  await writeFile(SNAPSHOT, current);
  return 0;
});

async function writeMigration(title: string, current: string, databaseUrl: string): Promise<void> {
  const last = await readFile(SNAPSHOT, 'utf8').catch(() => undefined);
  const sql = await diffSchemas(databaseUrl, last, current);
  if (sql === undefined) {
    throw new Failure('The schema has not changed since the last migration.');
  }
  const timestamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const folder = join(MIGRATIONS, `${timestamp}_${title}`);
  await mkdir(folder);
  await writeFile(join(folder, 'migration.sql'), sql);
  print(`Wrote ${join(folder, 'migration.sql')}: read it, and add by hand what the schema cannot say.`);
}
