import { readdirSync, readFileSync } from 'node:fs';
import { createDatabase, type RunningPostgres, startPostgres } from '../../../tools/stack/postgres.js';
import { temporaryPlace } from '../../../tools/stack/postgres-place.js';
import { type RunningRedis, startRedis } from '../../../tools/stack/redis.js';
import { Supervisor } from '../../../tools/stack/supervisor.js';
import { migrate } from '../../../src/platform/prisma/migrations/migrate.js';
import { fromEnvironment } from '../environment.js';
import { eventually } from '../wait.js';

const DATABASE = 'mortise';
const BACK_WITHIN_MS = 60_000;

/** A server that a test may kill: `kill -9`, and the same one again on its port. */
export interface KillableServer {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A PostgreSQL cluster and a Redis of one test alone, so that it can kill them. They end with the test at the latest. */
export class OwnServices {
  private constructor(
    private readonly supervisor: Supervisor,
    readonly databaseUrl: string,
    readonly redisUrl: string,
    readonly postgres: KillableServer,
    readonly redis: KillableServer,
  ) {}

  static async start(): Promise<OwnServices> {
    const supervisor = new Supervisor();
    try {
      const [postgres, redis] = await Promise.all([migratedCluster(supervisor), ownRedis(supervisor)]);
      return new OwnServices(supervisor, postgres.databaseUrl, redis.url, postgres.server, redis.server);
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.supervisor.stop();
  }
}

async function migratedCluster(supervisor: Supervisor): Promise<{ databaseUrl: string; server: KillableServer }> {
  const place = await temporaryPlace();
  supervisor.removeAtEnd(place.folder);
  let running: RunningPostgres = await startPostgres(supervisor, place);
  const databaseUrl = running.url(DATABASE);
  await createDatabase(running.url, DATABASE);
  await migrate(databaseUrl);
  return {
    databaseUrl,
    server: {
      async kill() {
        // Its children as well: as when the kernel is out of memory, or a container ends.
        const pids = [running.server.pid, ...childrenOf(running.server.pid)];
        pids.forEach((pid) => {
          killIfAlive(pid);
        });
        await running.server.ended;
        await eventually('the cluster is gone', () => pids.every((pid) => !isAlive(pid)), BACK_WITHIN_MS);
      },
      async restart() {
        running = await startPostgres(supervisor, place, { port: Number(new URL(databaseUrl).port) });
      },
    },
  };
}

async function ownRedis(supervisor: Supervisor): Promise<{ url: string; server: KillableServer }> {
  const executable = fromEnvironment('TEST_REDIS_SERVER');
  let running: RunningRedis = await startRedis(supervisor, executable);
  const { url } = running;
  return {
    url: `${url}/0`,
    server: {
      async kill() {
        killIfAlive(running.server.pid);
        await running.server.ended;
      },
      async restart() {
        running = await startRedis(supervisor, executable, { successorOf: url });
      },
    },
  };
}

function killIfAlive(pid: number): void {
  if (isAlive(pid)) {
    process.kill(pid, 'SIGKILL');
  }
}

/** A zombie is as good as dead: a container often has no init that reaps it. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === parent);
}

function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [, state = '', parent] =
      /^\d+ \(.*\) (\w) (\d+)/s.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
