import type { Server } from 'node:http';
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
