import { MethodNotAllowedException, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { cutText } from '../../../shared/cut-text.js';
import { JSON_LINES } from '../bodies/json-lines.js';
import { pathOf } from './known-routes.js';
import { problemOf, type Problem } from '../problems/problem.js';

const SHOWN_PATH = 200;
const MEDIA_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,60}/;

/** What is wrong with a request. What the framework refused is told with what this server would have taken. */
export function problemOfRequest(error: unknown, request: FastifyRequest, reply: FastifyReply): Problem {
  const problem = problemOf(error);
  if (error instanceof NotFoundException && request.is404) {
    return problemOf(unknownRoute(request, reply));
  }
  if (problem.code === 'body_too_large') {
    const limit = String(request.routeOptions.bodyLimit);
    return { ...problem, detail: `The body is larger than the ${limit} bytes that are taken here.` };
  }
  if (problem.code === 'unsupported_media_type') {
    return { ...problem, detail: wantedType(request, reply) };
  }
  return problem;
}

function unknownRoute(request: FastifyRequest, reply: FastifyReply): Error {
  const path = pathOf(request);
  const { knownRoutes } = request.server;
  const methods = knownRoutes.methodsAt(path);
  if (methods.length > 0) {
    const allow = methods.join(', ');
    void reply.header('Allow', allow);
    return new MethodNotAllowedException(`${request.method} is not possible here; ${allow} are.`);
  }
  const likely = knownRoutes.likely(path);
  const hint = likely === undefined ? '' : ` Did you mean ${likely}?`;
  return new NotFoundException(`There is nothing at ${cutText(path, SHOWN_PATH)}.${hint}`);
}

/** The header `Accept` says it to programs (RFC 9110, section 15.5.16). */
function wantedType(request: FastifyRequest, reply: FastifyReply): string {
  const { acceptsCsv, maxJsonLines } = request.routeOptions.config;
  const taken: readonly (readonly [string, string])[] = [
    ['JSON', 'application/json'],
    ...(acceptsCsv === true ? [['CSV', 'text/csv'] as const] : []),
    ...(maxJsonLines === undefined ? [] : [['JSON lines', JSON_LINES] as const]),
  ];
  void reply.header('Accept', taken.map(([, type]) => type).join(', '));
  const [given] = MEDIA_TYPE.exec(request.headers['content-type'] ?? '') ?? [];
  const names = taken.map(([name]) => name).join(' or ');
  const types = `Content-Type: ${taken.map(([, type]) => type).join('` or `')}`;
  return `The body must be ${names} (\`${types}\`)${given === undefined ? '' : `, not ${given}`}.`;
}
