/** `npm run admin:create -- --email you@example.com`: the first administrator; `--promote` for an account that exists. */
import { createAdmin } from '../src/apps/admin-creation.js';
import { migrateAloud } from '../src/platform/prisma/migrations/migrate.js';
import { runCommand } from './stack/command.js';
import { openDatabase } from './stack/database.js';
import { masterKey } from './stack/settings.js';
import { print } from './stack/steps.js';

await runCommand(async (supervisor) => {
  const DATABASE_URL = await openDatabase(supervisor);
  await migrateAloud(DATABASE_URL, print);
  const env = { ...process.env, DATABASE_URL, MASTER_KEY: await masterKey() };
  print(await createAdmin(env, process.argv.slice(2)));
  return 0;
});
