import type { FastifyReply } from 'fastify';

/** Is aborted when the answer is sent, or no one waits for it any more. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.closed) {
    gone.abort();
  }
  raw.once('close', () => {
    gone.abort();
  });
  return gone.signal;
}
