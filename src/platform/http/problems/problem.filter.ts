import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { EMPTY, type Observable } from 'rxjs';
import { requestContext } from '../../context/request-context.js';
import { DomainError } from '../../../shared/domain-error.js';
import { RejectedMessages } from '../../mqtt/rejected-messages.js';
import { problemOf, type Problem } from './problem.js';
import { problemOfRequest } from '../routes/request-problem.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** A code behind it is the address of a kind of problem. */
    problemsUrl: string;
  }
}

/** The one place where errors become answers: RFC 9457 over HTTP; of devices, on MQTT without an answer, a counted refusal. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: PinoLogger,
    private readonly refusals: RejectedMessages,
  ) {
    logger.setContext(ProblemFilter.name);
  }

  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    const problem = this.problemFor(error, host);
    const topic = topicOf(host);
    if (topic !== undefined) {
      this.refusals.message(limitOf(error) ?? problem.code, topic, {
        ...(problem.errors ? { errors: problem.errors } : {}),
        ...(problem.status >= 500 ? { err: error } : {}),
      });
    }
    if (host.getType() === 'rpc') {
      return EMPTY;
    }
    if (problem.status >= 500) {
      this.logger.error({ err: error, code: problem.code }, 'Request failed');
    }
    if (host.getType() === 'http') {
      sendProblem(host.switchToHttp().getRequest(), host.switchToHttp().getResponse(), problem);
    }
    return undefined;
  }

  private problemFor(error: unknown, host: ArgumentsHost): Problem {
    const http = host.switchToHttp();
    return host.getType() === 'http'
      ? problemOfRequest(error, http.getRequest(), http.getResponse())
      : problemOf(error);
  }
}

/** Answers with a problem document. Also used where no Nest handler was reached: unknown routes, unreadable bodies. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  if (!reply.sent) {
    void reply.send(writeProblem(request, reply, problem));
  }
}

/** Sets status and headers of a problem document, and gives its text. */
export function writeProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): string {
  const { retryAfter, challenge, ...body } = problem;
  if (problem.status === 401) {
    void reply.header('WWW-Authenticate', challengeWith(challenge));
  }
  if (retryAfter !== undefined) {
    void reply.header('Retry-After', String(retryAfter));
  }
  void reply.status(problem.status).header('Cache-Control', 'no-store').type('application/problem+json');
  return JSON.stringify({
    type: request.server.problemsUrl + problem.code,
    ...body,
    requestId: requestContext()?.requestId ?? request.id,
    timestamp: new Date().toISOString(),
    path: request.url.split('?', 1)[0],
  });
}

/** RFC 6750, section 3: without credentials, or with those of another scheme, there is no error to tell. */
function challengeWith(description: string | undefined): string {
  return description === undefined ? 'Bearer' : `Bearer error="invalid_token", error_description="${description}"`;
}

/** Where a device says what was refused, over MQTT or by a request; undefined for what comes of a person. */
function topicOf(host: ArgumentsHost): string | undefined {
  if (host.getType() === 'http') {
    return host.switchToHttp().getRequest<FastifyRequest>().uplink?.topic;
  }
  const context: { getTopic?: () => string } = host.switchToRpc().getContext();
  return host.getType() === 'rpc' ? (context.getTopic?.() ?? '') : undefined;
}

/** Which limit of several that share a code. */
function limitOf(error: unknown): string | undefined {
  const limit = error instanceof DomainError ? error.details.limit : undefined;
  return typeof limit === 'string' ? limit : undefined;
}
