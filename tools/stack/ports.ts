import { createServer } from 'node:net';
import { Failure } from './failure.js';
import { waitUntil } from './wait-until.js';

/** A TCP port that nothing on this machine uses at the moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}

/**
 * Starts a service on a free port. Between asking for the port and listening on it another process may take it, so
 * a service that reports its address in use is started once more on another.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3 || !/address already in use|could not bind/i.test(String(error))) {
        throw error;
      }
    }
  }
}

/**
 * Refuses, in one line, to go on when another program listens on a port that was asked for. Waits a moment first: what
 * a killed run left behind is still being cleaned up when the next one starts.
 */
export async function assertPortFree(port: number, host: string, variable: string): Promise<void> {
  let problem: NodeJS.ErrnoException | undefined;
  await waitUntil(
    async () => {
      problem = await tryToListen(port, host);
      return problem?.code !== 'EADDRINUSE';
    },
    { withinMs: 2_000, otherwise: () => new Failure(describePortInUse(port, host, variable)) },
  );
  if (problem) {
    const reason = problem.code ?? problem.message;
    throw new Failure(`Cannot listen on port ${String(port)} of ${host} (${reason}): set ${variable} or HOST.`);
  }
}

function describePortInUse(port: number, host: string, variable: string): string {
  const advice = `Stop what listens there, or choose another: ${variable}=${String(port + 1)} npm start`;
  return `Port ${String(port)} on ${host} is in use. ${advice}`;
}

function tryToListen(port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}
