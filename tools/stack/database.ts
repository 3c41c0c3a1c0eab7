import {
  createDatabase,
  type DatabaseUrl,
  findRunningPostgres,
  type RunningPostgres,
  startPostgres,
} from './postgres.js';
import { logFile } from './log-file.js';
import { persistentPlace } from './postgres-place.js';
import { print } from './steps.js';
import { type Supervisor } from './supervisor.js';

/** The database of `npm start` on the embedded server. */
const NAME = 'mortise';

/** Starts the embedded server of this clone and answers the URL of its database. */
export async function startEmbeddedDatabase(
  supervisor: Supervisor,
): Promise<{ readonly url: string; readonly server: RunningPostgres['server'] }> {
  const { url, server } = await startPostgres(supervisor, await persistentPlace(), {
    onOutput: await logFile('postgres'),
  });
  await createDatabase(url, NAME);
  return { url: url(NAME), server };
}

/** For commands beside `npm start`: DATABASE_URL, or the embedded database, whether it is running or not. */
export async function openDatabase(supervisor: Supervisor): Promise<string> {
  const external = process.env.DATABASE_URL;
  if (external) {
    return external;
  }
  print('DATABASE_URL is not set: this is the database of this clone, in .mortise.');
  const running: DatabaseUrl | undefined = await findRunningPostgres(await persistentPlace());
  return running ? running(NAME) : (await startEmbeddedDatabase(supervisor)).url;
}
