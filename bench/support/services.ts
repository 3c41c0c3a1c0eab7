import { randomBytes } from 'node:crypto';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { createDatabase, type DatabaseUrl, startPostgres } from '../../tools/stack/postgres.js';
import { temporaryPlace } from '../../tools/stack/postgres-place.js';
import { provideRedis, startRedis } from '../../tools/stack/redis.js';
import { step } from '../../tools/stack/steps.js';
import { type Supervisor } from '../../tools/stack/supervisor.js';

/** The database that ours and its baselines share. */
export const DATABASE = 'mortise_bench';

export interface Services {
  readonly supervisor: Supervisor;
  readonly databaseUrl: DatabaseUrl;
  readonly redisUrl: string;
  /** One for the database: its keys are sealed with it. */
  readonly masterKey: string;
}

/** One PostgreSQL with its own defaults (it syncs every commit to disk) and one Redis for all servers. */
export async function startServices(supervisor: Supervisor): Promise<Services> {
  return step('PostgreSQL, migrations, Redis', async () => {
    const place = await temporaryPlace();
    supervisor.removeAtEnd(place.folder);
    const { url: databaseUrl } = await startPostgres(supervisor, place);
    await createDatabase(databaseUrl, DATABASE);
    await migrate(databaseUrl(DATABASE));
    const { url: redisUrl } = await startRedis(supervisor, await provideRedis());
    return { supervisor, databaseUrl, redisUrl, masterKey: randomBytes(32).toString('base64') };
  });
}
