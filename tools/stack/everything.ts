import { databaseName } from '../../src/platform/prisma/migrations/database-name.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { describeAccounts } from './accounts.js';
import { type Run, startApplication } from './application.js';
import { startEmbeddedDatabase } from './database.js';
import { type Demo, prepareDemo } from './demo.js';
import { logFile } from './log-file.js';
import { startVirtualLocks } from './locks.js';
import { describeStack } from './overview.js';
import { assertPortFree } from './ports.js';
import { provideRedis, startRedis } from './redis.js';
import { readSettings, type StartSettings } from './settings.js';
import { print, step } from './steps.js';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';

/** Of `npm start` and `npm run dev`. */
export const USAGE = `Starts the application with all that it needs, and a demo. It takes no options, but variables of the environment:

  PORT, MQTT_PORT                     where it listens (3000, 1883)
  DATABASE_URL, REDIS_URL, MQTT_URL   servers of yours in place of those that it starts
  DEMO=0                              without accounts, devices and virtual locks of the demo
  LOG_LEVEL=info                      the log in the terminal

Others are listed in .env.example.`;

export interface Services {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The servers that were started for it; none may end before we do. */
  readonly servers: readonly SupervisedProcess[];
}

export interface Everything {
  readonly settings: StartSettings;
  readonly services: Services;
  readonly application: SupervisedProcess;
}

/**
 * Starts servers, application and demo as the environment asks for them, and says where they are.
 * @param log where that of the application goes; those of the others go to files
 */
export async function startEverything(supervisor: Supervisor, log: Run['log']): Promise<Everything> {
  const settings = readSettings(process.env);
  await assertPortFree(settings.port, settings.host, 'PORT');
  if (!settings.mqttUrl) {
    await assertPortFree(settings.mqttPort, settings.mqttHost, 'MQTT_PORT');
  }
  const services = await startServices(supervisor, settings);
  const whose = settings.databaseUrl ? ` of ${databaseName(settings.databaseUrl)}` : '';
  await step(`Migrations${whose}`, () => migrate(services.databaseUrl));
  const application = await step('Application', () =>
    startApplication(supervisor, settings, services, { build: 'dist', log }),
  );
  const access = settings.demo
    ? await step('Demo account and locks', () => startDemo(supervisor, settings))
    : await describeAccounts(services.databaseUrl);
  print(describeStack(settings, access, log));
  return { settings, services, application };
}

async function startServices(supervisor: Supervisor, settings: StartSettings): Promise<Services> {
  const [database, redis] = await Promise.all([
    settings.databaseUrl ? { url: settings.databaseUrl } : step('PostgreSQL', () => startEmbeddedDatabase(supervisor)),
    settings.redisUrl
      ? { url: settings.redisUrl }
      : step('Redis', async () => startRedis(supervisor, await provideRedis(), { onOutput: await logFile('redis') })),
  ]);
  const started = [database, redis].flatMap((service) => ('server' in service ? [service.server] : []));
  return { databaseUrl: database.url, redisUrl: redis.url, servers: started };
}

async function startDemo(supervisor: Supervisor, settings: StartSettings): Promise<Demo> {
  const demo = await prepareDemo(settings);
  await startVirtualLocks(supervisor, settings, demo);
  return demo;
}

/** Waits for what should not happen while we are wanted: one of the parts ends on its own. */
export async function firstEnd(processes: readonly SupervisedProcess[]): Promise<string> {
  return Promise.race(
    processes.map(async (each) => `${each.name} ended (${await each.ended}). ${each.lastOutput()}`.trim()),
  );
}
