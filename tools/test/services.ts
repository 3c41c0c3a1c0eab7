import { createDatabase, startPostgres } from '../stack/postgres.js';
import { temporaryPlace } from '../stack/postgres-place.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { provideChromium } from '../stack/chromium.js';
import { provideFaketime } from '../stack/faketime.js';
import { provideMosquitto } from '../stack/mosquitto.js';
import { provideNginx } from '../stack/nginx.js';
import { providePromtool } from '../stack/promtool.js';
import { provideRedis, startRedis } from '../stack/redis.js';
import { type Supervisor } from '../stack/supervisor.js';
import { step } from '../stack/steps.js';

/** The migrated database that each test copies. */
const TEMPLATE = 'mortise_template';

/** How many Jest workers run at a time, each with services of its own: jest.config.js names as many. */
const WORKERS = 2;

/**
 * Starts what the system tests run against, and answers the environment that tells them where it is. What only one
 * worker uses carries the worker's number; test/support/environment.ts reads it.
 */
export async function startTestServices(supervisor: Supervisor): Promise<NodeJS.ProcessEnv> {
  const redisServer = await step('Redis', provideRedis);
  const mosquitto = await step('Mosquitto', provideMosquitto);
  const nginx = await step('nginx', provideNginx);
  const chromium = await step('Chromium', provideChromium);
  const faketime = await step('libfaketime', provideFaketime);
  const promtool = await step('promtool', providePromtool);
  const sets = await step('PostgreSQL, migrations', () =>
    Promise.all(Array.from({ length: WORKERS }, (_, index) => startSet(supervisor, redisServer, String(index + 1)))),
  );
  return {
    TEST_SERVICE_SETS: String(WORKERS),
    TEST_DATABASE_TEMPLATE: TEMPLATE,
    TEST_REDIS_SERVER: redisServer,
    TEST_CHROMIUM: chromium,
    TEST_FAKETIME: faketime,
    TEST_NGINX: nginx,
    TEST_PROMTOOL: promtool,
    TEST_MOSQUITTO: mosquitto.server,
    TEST_MOSQUITTO_PASSWD: mosquitto.passwd,
    TEST_MOSQUITTO_PUB: mosquitto.publish,
    TEST_MOSQUITTO_SUB: mosquitto.subscribe,
    ...(Object.assign({}, ...sets) as NodeJS.ProcessEnv),
  };
}

/** What one Jest worker has for itself. */
async function startSet(supervisor: Supervisor, redisServer: string, worker: string): Promise<NodeJS.ProcessEnv> {
  const [postgres, redis] = await Promise.all([startMigratedPostgres(supervisor), startRedis(supervisor, redisServer)]);
  return { [`TEST_DATABASE_URL_${worker}`]: postgres, [`TEST_REDIS_URL_${worker}`]: `${redis.url}/0` };
}

async function startMigratedPostgres(supervisor: Supervisor): Promise<string> {
  const place = await temporaryPlace();
  supervisor.removeAtEnd(place.folder);
  // Tests kill PostgreSQL, never the machine: what it wrote survives that without being forced to a disk, which may be slow.
  const { url } = await startPostgres(supervisor, place, { settings: { fsync: 'off' } });
  await createDatabase(url, TEMPLATE);
  await migrate(url(TEMPLATE));
  return url('postgres');
}
