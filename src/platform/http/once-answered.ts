import type { FastifyReply } from 'fastify';

/** Runs something once the whole answer is handed to the network: never where its client went before, or this process ends. */
export function onceAnswered({ raw }: FastifyReply, task: () => void): void {
  raw.once('finish', task);
}
