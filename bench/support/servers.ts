import { join } from 'node:path';
import { Failure } from '../../tools/stack/failure.js';
import { ROOT } from '../../tools/stack/paths.js';
import { freePort } from '../../tools/stack/ports.js';
import { waitUntil } from '../../tools/stack/wait-until.js';
import { DATABASE, type Services } from './services.js';

/** A server under test: a process of its own. */
export interface Server {
  readonly url: string;
  readonly mqttUrl: string;
  readonly pid: number;
  /** From spawning it to its first answer that it is ready. */
  readonly bootMs: number;
  stop(): Promise<void>;
}

/** Programs in `bench/servers`. */
type Program =
  | 'command-baseline'
  | 'feed-writer'
  | 'hash-baseline'
  | 'list-baseline'
  | 'minimal-nest'
  | 'mix-baseline'
  | 'null-server'
  | 'refresh-baseline'
  | 'session-probe'
  | 'socket-baseline'
  | 'users-baseline';

const READY_WITHIN_MS = 30_000;

/** Mortise as its image starts it: all roles unless told, embedded broker, logs at `info` to nowhere. */
export function startMortise(services: Services, env: NodeJS.ProcessEnv = {}): Promise<Server> {
  return startProcess(
    services,
    ['--enable-source-maps', '--max-semi-space-size=16', join(ROOT, 'dist', 'src', 'main.js')],
    {
      readyPath: '/api/health/ready',
      env,
    },
  );
}

/** One of the programs in `bench/servers`. */
export function startProgram(
  services: Services,
  program: Program,
  env: NodeJS.ProcessEnv = {},
  readyPath = '/ready',
): Promise<Server> {
  return startProcess(services, [join(ROOT, 'dist', 'bench', 'servers', `${program}.js`)], { readyPath, env });
}

/** A program of another project, which takes its port from PORT. @param script where it is */
export function startPeer(
  services: Services,
  script: string,
  env: NodeJS.ProcessEnv,
  readyPath: string,
): Promise<Server> {
  return startProcess(services, [script], { readyPath, env });
}

async function startProcess(
  { supervisor, databaseUrl, redisUrl, masterKey }: Services,
  args: readonly string[],
  { readyPath, env = {} }: { readonly readyPath: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Server> {
  const [port, mqttPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${String(port)}`;
  const started = performance.now();
  const server = supervisor.start({
    name: args.at(-1) ?? '',
    command: process.execPath,
    args,
    output: 'errors',
    stopWithinMs: 15_000,
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS,
      NODE_ENV: 'production',
      PORT: String(port),
      MQTT_PORT: String(mqttPort),
      DATABASE_URL: databaseUrl(DATABASE),
      REDIS_URL: redisUrl,
      MASTER_KEY: masterKey,
      // A session of benchmarks outlives the usual access token.
      JWT_ACCESS_EXPIRY: '1d',
      // Every request is counted, and none is refused.
      RATE_LIMIT_SCALE: '1000000',
      // The people of a benchmark register themselves.
      REGISTRATION: 'open',
      // No balancer has to see that it stops.
      DRAIN_DELAY: '0s',
      ...env,
    },
  });
  await waitUntil(
    () => {
      if (server.hasEnded()) {
        throw new Failure(`${server.name} did not start: ${server.lastOutput()}`);
      }
      return fetch(url + readyPath).then(
        (response) => response.ok,
        () => false,
      );
    },
    {
      withinMs: READY_WITHIN_MS,
      everyMs: 5,
      otherwise: () => new Failure(`${server.name} is not ready: ${server.lastOutput()}`),
    },
  );
  return {
    url,
    mqttUrl: `mqtt://127.0.0.1:${String(mqttPort)}`,
    pid: server.pid,
    bootMs: performance.now() - started,
    stop: () => server.stop(),
  };
}
