import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type DebianTool, provideTool } from './debian.js';
import { Failure } from './failure.js';
import { stateFolder } from './paths.js';
import { onFreePort } from './ports.js';
import { type ProcessOptions, type SupervisedProcess, type Supervisor } from './supervisor.js';
import { waitUntil } from './wait-until.js';

const REDIS: DebianTool = {
  name: 'Redis',
  package: 'redis-server',
  programs: { server: ['redis-server', 'valkey-server'] },
  advice: 'Install redis-server or valkey-server, or set REDIS_URL to a running one.',
};

/** The path of a Redis server's executable, fetched when the system has none. */
export async function provideRedis(): Promise<string> {
  const { server } = await provideTool(REDIS);
  return server ?? '';
}

export interface RunningRedis {
  readonly url: string;
  readonly server: SupervisedProcess;
}

/**
 * Starts a Redis. It keeps nothing: PostgreSQL is the only system of record.
 * @param options `successorOf` is the URL of one that has ended, to be the same for its clients; a new password on a free port of
 *   127.0.0.1 unless given.
 */
export async function startRedis(
  supervisor: Supervisor,
  executable: string,
  { successorOf, onOutput }: { successorOf?: string; onOutput?: ProcessOptions['onOutput'] } = {},
): Promise<RunningRedis> {
  const cwd = await stateFolder();
  const earlier = successorOf === undefined ? undefined : new URL(successorOf);
  const password = earlier?.password ?? randomBytes(18).toString('base64url');
  const listenOn = async (port: number): Promise<RunningRedis> => {
    const server = supervisor.start({
      name: 'Redis',
      command: executable,
      args: ['-'],
      cwd,
      input: configuration(port, password),
      ...(onOutput && { onOutput }),
    });
    const url = `redis://:${password}@127.0.0.1:${String(port)}`;
    await waitUntilReady(server, url);
    return { url, server };
  };
  return earlier ? listenOn(Number(earlier.port)) : onFreePort(listenOn);
}

function configuration(port: number, password: string): string {
  const lines = [
    'bind 127.0.0.1',
    `port ${String(port)}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'databases 64',
    // A queue must not lose jobs to make room.
    'maxmemory-policy noeviction',
  ];
  return `${lines.join('\n')}\n`;
}

async function waitUntilReady(server: SupervisedProcess, url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    await waitUntil(
      async () => {
        if (server.hasEnded()) {
          throw new Failure(`Redis did not start (${await server.ended}): ${server.lastOutput()}`);
        }
        return client.connect().then(
          () => true,
          () => false,
        );
      },
      { withinMs: 15_000, otherwise: () => new Failure(`Redis is not ready after 15 s: ${server.lastOutput()}`) },
    );
  } finally {
    client.disconnect();
  }
}
