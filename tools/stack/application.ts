import { join } from 'node:path';
import pretty from 'pino-pretty';
import { Failure } from './failure.js';
import { logFile } from './log-file.js';
import { ROOT } from './paths.js';
import { masterKey, type StartSettings } from './settings.js';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';
import { waitUntil } from './wait-until.js';

/** The folder of the build, and where its log goes. */
export interface Run {
  readonly build: string;
  readonly log: 'file' | 'terminal';
}

/** An app that is developed on this machine is served from a port of its own. */
export const PAGES_IN_DEVELOPMENT = ['http', 'https']
  .flatMap((scheme) => ['localhost', '127.0.0.1', '[::1]'].map((host) => `${scheme}://${host}:*`))
  .join(',');

/** Starts the application as compiled into the folder `build`, and waits until it says that it is ready. */
export async function startApplication(
  supervisor: Supervisor,
  settings: StartSettings,
  services: { readonly databaseUrl: string; readonly redisUrl: string },
  { build, log }: Run,
): Promise<SupervisedProcess> {
  const application = supervisor.start({
    name: 'The application',
    command: process.execPath,
    args: ['--enable-source-maps', '--max-semi-space-size=16', join(ROOT, build, 'src', 'main.js')],
    cwd: ROOT,
    stopWithinMs: 30_000,
    env: {
      NODE_ENV: 'development',
      // Not a line per request.
      LOG_LEVEL: 'warn',
      PUBLIC_URL: baseUrl(settings),
      // Without a mail server, links can be followed from the log.
      MAIL_LOG_LINKS: '1',
      CORS_ORIGINS: PAGES_IN_DEVELOPMENT,
      ...process.env,
      HOST: settings.host,
      PORT: String(settings.port),
      MQTT_HOST: settings.mqttHost,
      MQTT_PORT: String(settings.mqttPort),
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      MASTER_KEY: await masterKey(),
    },
    ...(log === 'file' ? { onOutput: await logFile('application') } : showLogs()),
  });
  try {
    await becomesReady(application, settings);
  } catch (error) {
    await application.stop();
    throw error;
  }
  return application;
}

async function becomesReady(application: SupervisedProcess, settings: StartSettings): Promise<void> {
  await waitUntil(
    async () => {
      if (application.hasEnded()) {
        throw new Failure(
          `The application did not start (${await application.ended}). ${application.lastOutput()}`.trim(),
        );
      }
      return fetch(`${baseUrl(settings)}/api/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        () => false,
      );
    },
    {
      withinMs: 60_000,
      otherwise: () => new Failure(`The application is not ready after 60 s. ${application.lastOutput()}`.trim()),
    },
  );
}

export function baseUrl({ host, port }: StartSettings): string {
  return `http://${reachable(host)}:${String(port)}`;
}

/** Where devices find the broker. */
export function brokerUrl({ mqttUrl, mqttHost, mqttPort }: StartSettings): string {
  return mqttUrl ?? `mqtt://${reachable(mqttHost)}:${String(mqttPort)}`;
}

/** The host of a URL that reaches, from this machine, a server that listens on `address`. */
function reachable(address: string): string {
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  return host.includes(':') ? `[${host}]` : host;
}

/** JSON lines for machines, coloured ones for a person at a terminal. */
function showLogs(): { output: 'inherit' } | { onOutput: (chunk: Buffer) => void } {
  if (!process.stdout.isTTY) {
    return { output: 'inherit' };
  }
  const readable = pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' });
  return { onOutput: (chunk) => readable.write(chunk) };
}
