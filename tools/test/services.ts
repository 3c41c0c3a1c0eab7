import { createDatabase, startPostgres } from '../stack/postgres.js';
import { temporaryPlace } from '../stack/postgres-place.js';
import { migrate } from '../db/migrate.js';
import { provideChromium } from '../stack/chromium.js';
import { provideMosquitto } from '../stack/mosquitto.js';
import { provideRedis, startRedis } from '../stack/redis.js';
import { type Supervisor } from '../stack/supervisor.js';
import { step } from '../stack/steps.js';

/** The migrated database that each test copies. */
const TEMPLATE = 'mortise_template';

/** Starts what the system tests run against, and answers the environment that tells them where it is. */
export async function startTestServices(supervisor: Supervisor): Promise<NodeJS.ProcessEnv> {
  const redisServer = await step('Redis', provideRedis);
  const mosquitto = await step('Mosquitto', provideMosquitto);
  const chromium = await step('Chromium', provideChromium);
  const [postgres, redis] = await step('PostgreSQL, migrations', () =>
    Promise.all([startMigratedPostgres(supervisor), startRedis(supervisor, redisServer)]),
  );
  return {
    TEST_DATABASE_URL: postgres,
    TEST_DATABASE_TEMPLATE: TEMPLATE,
    TEST_REDIS_URL: redis.url,
    TEST_REDIS_SERVER: redisServer,
    TEST_CHROMIUM: chromium,
    TEST_MOSQUITTO: mosquitto.server,
    TEST_MOSQUITTO_PASSWD: mosquitto.passwd,
    TEST_MOSQUITTO_PUB: mosquitto.publish,
    TEST_MOSQUITTO_SUB: mosquitto.subscribe,
  };
}

async function startMigratedPostgres(supervisor: Supervisor): Promise<string> {
  const place = await temporaryPlace();
  supervisor.removeAtEnd(place.folder);
  const { url } = await startPostgres(supervisor, place);
  await createDatabase(url, TEMPLATE);
  await migrate(url(TEMPLATE));
  return url('postgres');
}
