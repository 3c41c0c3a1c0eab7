import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type RequestContext, runInContext } from '../../context/request-context.js';
import { RequestDeadlineError } from '../../context/request-deadline.js';
import { writeProblem } from '../problems/problem.filter.js';
import { problemOf } from '../problems/problem.js';
import { extraTimeOf } from './extra-time.decorator.js';

declare module 'fastify' {
  interface FastifyRequest {
    answerTime?: AnswerTime;
  }
}

/** The time that we have for a request. What the client takes to send its body is not ours, and has a limit of its own. */
interface AnswerTime {
  readonly pause: () => void;
  readonly go: () => void;
}

/**
 * Answers 503 when a request was not answered in `timeoutMs`, or longer where its route says so; then no work is begun for it
 * any more (`assertInTime`). An answer that has begun is not broken off.
 */
export function limitAnswerTime(fastify: FastifyInstance, timeoutMs: number): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { requestContext: context } = request;
    if (context) {
      const time = answerTime(context, timeoutMs + extraTimeOf(request), () => {
        runInContext(context, () => {
          refuse(request, reply);
        });
      });
      request.answerTime = time;
      reply.raw.once('close', time.pause);
      time.go();
    }
    done();
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    request.answerTime?.pause();
    done();
  });
  fastify.addHook('preValidation', (request, _reply, done) => {
    request.answerTime?.go();
    done();
  });
}

function answerTime(context: RequestContext, limitMs: number, onEnd: () => void): AnswerTime {
  let leftMs = limitMs;
  let deadline = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    go() {
      deadline = performance.now() + leftMs;
      context.deadline = deadline;
      timer = setTimeout(onEnd, leftMs);
    },
    pause() {
      clearTimeout(timer);
      leftMs = Math.max(0, deadline - performance.now());
    },
  };
}

/** Past Fastify, because the handler still runs: its own answer, and the status that it sets, must not mix with this one. */
function refuse(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent || reply.raw.headersSent) {
    return;
  }
  const body = writeProblem(request, reply, problemOf(new RequestDeadlineError()));
  const { statusCode, raw } = reply.header('Content-Length', String(Buffer.byteLength(body)));
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) {
      raw.setHeader(name, value);
    }
  }
  reply.hijack();
  raw.writeHead(statusCode);
  raw.end(body);
}
