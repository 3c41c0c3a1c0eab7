/** `npm run db:migrate`: brings DATABASE_URL, or the database of this clone, up to date. */
import { readCommandLine } from '../../src/config/command-line.js';
import { migrateAloud } from '../../src/platform/prisma/migrations/migrate.js';
import { runCommand } from '../stack/command.js';
import { openDatabase } from '../stack/database.js';
import { print } from '../stack/steps.js';

readCommandLine('Brings DATABASE_URL, or the database of this clone, up to date. It takes no options.');

await runCommand(async (supervisor) => {
  await migrateAloud(await openDatabase(supervisor), print);
  return 0;
});
