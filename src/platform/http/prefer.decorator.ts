import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const MAX_WAIT_SECONDS = 30;

/**
 * `Prefer: wait=N` (RFC 7240), in milliseconds and at most 30 s; undefined without it. A malformed wish is ignored, as
 * the RFC asks.
 */
export const PreferredWait = createParamDecorator((_data: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers.prefer;
  return waitOf(Array.isArray(header) ? header.join(',') : header);
});

export function waitOf(header: string | undefined): number | undefined {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS) * 1_000;
}
