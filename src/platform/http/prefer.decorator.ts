import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { InvalidPreferError } from './prefer.errors.js';

const MAX_WAIT_SECONDS = 30;
/** One preference of a list, with its parameters: commas and semicolons in quotes are part of a value. */
const PREFERENCE = /(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g;
const WAIT = /^\s*wait\s*(?:[=;]|$)/i;
const SECONDS = /^[^=]*=\s*(?:"(\d{1,6})"|(\d{1,6}))\s*(?:;|$)/;

/**
 * `Prefer: wait=N` (RFC 7240), in milliseconds and at most 30 s; undefined without it. Other preferences are ignored, as
 * the RFC asks; a `wait` that cannot be read is told, because its client would wait for an answer that came long ago.
 * @throws InvalidPreferError
 */
export const PreferredWait = createParamDecorator((_data: unknown, context: ExecutionContext): number | undefined => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers.prefer;
  return waitOf(Array.isArray(header) ? header.join(',') : header);
});

export function waitOf(header = ''): number | undefined {
  // The first of several counts.
  const wait = (header.match(PREFERENCE) ?? []).find((preference) => WAIT.test(preference));
  if (wait === undefined) {
    return undefined;
  }
  const [, quoted, plain] = SECONDS.exec(wait) ?? [];
  const seconds = quoted ?? plain;
  if (seconds === undefined) {
    throw new InvalidPreferError();
  }
  return Math.min(Number(seconds), MAX_WAIT_SECONDS) * 1_000;
}
