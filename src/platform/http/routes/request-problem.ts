import { MethodNotAllowedException, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { cutText } from '../../../shared/cut-text.js';
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
  const takesCsv = request.routeOptions.config.acceptsCsv === true;
  void reply.header('Accept', takesCsv ? 'application/json, text/csv' : 'application/json');
  const [given] = MEDIA_TYPE.exec(request.headers['content-type'] ?? '') ?? [];
  const wanted = takesCsv
    ? 'JSON or CSV (`Content-Type: application/json` or `text/csv`)'
    : 'JSON (`Content-Type: application/json`)';
  return `The body must be ${wanted}${given === undefined ? '' : `, not ${given}`}.`;
}
