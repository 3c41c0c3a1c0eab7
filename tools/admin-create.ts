/** `npm run admin:create -- --email you@example.com`: the first administrator; `--promote` for an account that exists. */
import { ADMIN_CREATION, ADMIN_OPTIONS, createAdmin } from '../src/apps/admin-creation.js';
import { readCommandLine } from '../src/config/command-line.js';
import { migrateAloud } from '../src/platform/prisma/migrations/migrate.js';
import { runCommand } from './stack/command.js';
import { openDatabase } from './stack/database.js';
import { masterKey } from './stack/settings.js';
import { print } from './stack/steps.js';

const { values } = readCommandLine(ADMIN_CREATION, { options: ADMIN_OPTIONS });

await runCommand(async (supervisor) => {
  const DATABASE_URL = await openDatabase(supervisor);
  await migrateAloud(DATABASE_URL, print);
  const env = { ...process.env, DATABASE_URL, MASTER_KEY: await masterKey() };
  print(await createAdmin(env, values));
  return 0;
});
