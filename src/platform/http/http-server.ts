import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { Metrics } from '../metrics/metrics.js';
import { sendProblem } from './problem.filter.js';
import { problemOf } from './problem.js';
import { registerRequestHooks } from './request-hooks.js';

export const BODY_LIMIT_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const MIN_COMPRESSED_BYTES = 1_024;
const HSTS_SECONDS = 31_536_000;

/** Fastify with our limits. Nothing about the client's address is believed from headers. */
export function httpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS * 2,
    trustProxy: false,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 200 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(request, reply, problemOf(error));
    },
  });
}

/** Everything about HTTP that no single feature owns: ids, logs, limits, headers, compression. */
export async function prepareHttp(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const logger: PinoLogger = await app.resolve(PinoLogger);
  logger.setContext('Http');
  registerRequestHooks(fastify, logger, app.get(Metrics));

  // JSON or 415: no form posts, so no cross-site form can reach a route.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    fastify.getDefaultJsonParser('error', 'error'),
  );

  await app.register(helmet, {
    hsts: { maxAge: HSTS_SECONDS, includeSubDomains: true },
    contentSecurityPolicy: {
      // Swagger UI sets styles inline; scripts come from this origin alone.
      directives: { 'style-src': ["'self'", "'unsafe-inline'"], 'upgrade-insecure-requests': null },
    },
  });
  await app.register(compress, { threshold: MIN_COMPRESSED_BYTES, encodings: ['br', 'gzip'] });
}
