/** `npm run db:migrate`: brings DATABASE_URL, or the database of this clone, up to date. */
import { runCommand } from '../stack/command.js';
import { openDatabase } from '../stack/database.js';
import { print } from '../stack/steps.js';
import { migrate } from './migrate.js';

await runCommand(async (supervisor) => {
  const applied = await migrate(await openDatabase(supervisor));
  print(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The database is up to date.');
  return 0;
});
