import type { Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** A connection that was busy when the server began to close is idle later, and nothing else closes it. */
const IDLE_CHECK_MS = 50;

/** While the process drains, each answer ends its connection, so that the client's next request goes to another process. */
export function endConnectionsWhileDraining(fastify: FastifyInstance, isDraining: () => boolean): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining()) {
      void reply.header('Connection', 'close');
    }
    done(null, payload);
  });
}

/**
 * Waits until every connection is accepted that the kernel has established: closing the server resets those that wait, with
 * the requests in them. Node accepts one in each turn of the event loop, so there is none after a turn without one; a process
 * that is busy can have hundreds.
 * @param limitMs for clients that do not stop to come
 */
export async function acceptWaiting(server: Server, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  let accepted = 0;
  const count = (): void => {
    accepted += 1;
  };
  server.on('connection', count);
  let before: number;
  do {
    before = accepted;
    // Between two of these the loop polls once.
    await nextTurn();
    await nextTurn();
  } while (accepted > before && performance.now() < deadline);
  server.off('connection', count);
}

/**
 * Closes the connections of a server that is about to close: idle ones at once, and after `graceMs` the others, too, because
 * a client that sends or reads without end would keep the server from closing.
 * @returns ends it.
 */
export function closeConnections(server: Server, graceMs: number): () => void {
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, IDLE_CHECK_MS);
  const rest = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  return () => {
    clearInterval(idle);
    clearTimeout(rest);
  };
}
