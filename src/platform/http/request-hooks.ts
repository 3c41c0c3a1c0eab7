import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PinoLogger } from 'nestjs-pino';
import { canonicalId } from '../../shared/ids.js';
import { newContext, type RequestContext, runInContext } from '../context/request-context.js';
import { requestIdOf, traceIdOf } from '../context/trace-context.js';
import type { Metrics } from '../metrics/metrics.js';

const MAX_USER_AGENT = 256;

declare module 'fastify' {
  interface FastifyRequest {
    requestContext?: RequestContext;
  }
}

/** Gives every request its context and id, and writes one log line and one measurement when it ends. */
export function registerRequestHooks(fastify: FastifyInstance, logger: PinoLogger, metrics: Metrics): void {
  const durations = metrics.latency('mortise_http_request_duration_seconds', 'Time to answer, by route', [
    'method',
    'route',
    'status',
  ]);

  fastify.addHook('onRequest', (request, reply, done) => {
    const context = contextOf(request);
    request.requestContext = context;
    void reply.header('X-Request-Id', context.requestId);
    runInContext(context, done);
  });

  // A body arrives in the socket's own context: enter ours again once it has been read.
  fastify.addHook('preValidation', (request, _reply, done) => {
    spellIds(request.params as Record<string, string>);
    runInContext(request.requestContext ?? contextOf(request), done);
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const status = String(reply.statusCode);
    if (!isLasting(request, reply)) {
      durations.observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
    }
    runInContext(request.requestContext ?? contextOf(request), () => {
      logger[levelOf(request, reply)](lineOf(request, reply, route), 'Request answered');
    });
    done();
  });
}

function contextOf(request: FastifyRequest): RequestContext {
  const requestId = requestIdOf(request.headers['x-request-id']);
  const traceId = traceIdOf(request.headers.traceparent);
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT);
  return newContext('http', 'anonymous', {
    address: request.ip,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(traceId === undefined ? {} : { traceId }),
  });
}

/** Rooms, locks and hashes compare ids as text. */
function spellIds(params: Record<string, string>): void {
  for (const [name, value] of Object.entries(params)) {
    params[name] = canonicalId(value);
  }
}

/** An event stream that was opened: how long it was open is no latency. */
function isLasting({ routeOptions }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  const config = routeOptions.config as typeof routeOptions.config | undefined;
  return config?.isEventStream === true && statusCode === 200;
}

function levelOf({ routeOptions }: FastifyRequest, { statusCode }: FastifyReply): 'debug' | 'info' | 'warn' {
  // A route that does not exist has no configuration.
  const config = routeOptions.config as typeof routeOptions.config | undefined;
  if (!config?.isProbe) {
    return 'info';
  }
  return statusCode >= 400 ? 'warn' : 'debug';
}

function lineOf(request: FastifyRequest, reply: FastifyReply, route: string): Record<string, unknown> {
  return {
    method: request.method,
    route,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    address: request.ip,
  };
}
