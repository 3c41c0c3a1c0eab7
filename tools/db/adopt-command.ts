/**
 * `npm run db:adopt`: makes a restored database the one to go on with. To be run after any restore, with every process of
 * Mortise stopped; harmless to repeat.
 */
import 'reflect-metadata';
import { adoptDatabase, ADOPTION, describeAdoption } from '../../src/apps/adoption.js';
import { readCommandLine } from '../../src/config/command-line.js';
import { configOfProgram } from '../../src/apps/program.js';
import { migrateAloud } from '../../src/platform/prisma/migrations/migrate.js';
import { DomainError } from '../../src/shared/domain-error.js';
import { runCommand } from '../stack/command.js';
import { openDatabase } from '../stack/database.js';
import { Failure } from '../stack/failure.js';
import { masterKey } from '../stack/settings.js';
import { print } from '../stack/steps.js';

readCommandLine(ADOPTION);

await runCommand(async (supervisor) => {
  const databaseUrl = await openDatabase(supervisor);
  // A backup of an earlier version is adopted, too.
  await migrateAloud(databaseUrl, print);
  const config = configOfProgram({ ...process.env, DATABASE_URL: databaseUrl, MASTER_KEY: await masterKey() });
  const report = await adoptDatabase(config).catch((error: unknown) => {
    throw error instanceof DomainError ? new Failure(error.message) : error;
  });
  describeAdoption(report).forEach(print);
  return 0;
});
