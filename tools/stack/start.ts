/** `npm start`: everything a newcomer needs to open a door, from nothing but this clone. */
import { migrate } from '../db/migrate.js';
import { startApplication } from './application.js';
import { runCommand } from './command.js';
import { startEmbeddedDatabase } from './database.js';
import { type Demo, prepareDemo } from './demo.js';
import { startVirtualLocks } from './locks.js';
import { describeStack } from './overview.js';
import { assertPortFree } from './ports.js';
import { provideRedis, startRedis } from './redis.js';
import { readSettings, type StartSettings } from './settings.js';
import { print, printError, step } from './steps.js';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';

interface Services {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The servers that were started for it; none may end before we do. */
  readonly servers: readonly SupervisedProcess[];
}

await runCommand(
  async (supervisor, stopped) => {
    const settings = readSettings(process.env);
    await assertPortFree(settings.port, settings.host, 'PORT');
    if (!settings.mqttUrl) {
      await assertPortFree(settings.mqttPort, settings.mqttHost, 'MQTT_PORT');
    }
    const services = await startServices(supervisor, settings);
    await step('Migrations', () => migrate(services.databaseUrl));
    const application = await step('Application', () => startApplication(supervisor, settings, services));
    const demo = settings.demo
      ? await step('Demo account and locks', () => startDemo(supervisor, settings))
      : undefined;
    print(describeStack(settings, demo));
    const end = await firstEnd([...services.servers, application]);
    if (!stopped.aborted) {
      printError(end);
    }
    return 1;
  },
  { stoppedMeansSuccess: true },
);

async function startServices(supervisor: Supervisor, settings: StartSettings): Promise<Services> {
  const [database, redis] = await Promise.all([
    settings.databaseUrl ? { url: settings.databaseUrl } : step('PostgreSQL', () => startEmbeddedDatabase(supervisor)),
    settings.redisUrl
      ? { url: settings.redisUrl }
      : step('Redis', async () => startRedis(supervisor, await provideRedis())),
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
async function firstEnd(processes: readonly SupervisedProcess[]): Promise<string> {
  return Promise.race(
    processes.map(async (each) => `${each.name} ended (${await each.ended}). ${each.lastOutput()}`.trim()),
  );
}
