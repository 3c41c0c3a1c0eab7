import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { Metrics } from '../metrics/metrics.js';
import { LONGEST_EXTRA_TIME_MS } from './admission/extra-time.decorator.js';
import { limitAnswerTime } from './admission/request-timeout.js';
import { refuseConnection } from './connection-errors.js';
import { registerCacheControl } from './cache-control.js';
import { acceptCsvWhereWanted } from './bodies/csv-body.js';
import { acceptJsonOnly } from './bodies/json-body.js';
import { acceptJsonLinesWhereWanted } from './bodies/json-lines.js';
import { acceptFormsWhereWanted } from './bodies/one-click-body.js';
import { acceptReportsWhereWanted } from './bodies/report-body.js';
import { allowBodyLimits } from './bodies/body-limit.decorator.js';
import { clientAddressReader, readClientAddresses } from './client-address.js';
import { allowOrigins } from './cors.js';
import { answerOptions, MAX_PARAM_LENGTH, noteRoutes } from './routes/known-routes.js';
import { tellDeprecations } from './versions/deprecated.decorator.js';
import { sendProblem } from './problems/problem.filter.js';
import { problemOf } from './problems/problem.js';
import { problemsUrl } from './problems/http-problems.js';
import { registerRequestHooks } from './request-hooks.js';
import { compressNoSecrets } from './secret-answer.decorator.js';
import { registerSecurityHeaders } from './security-headers.js';
import { InvalidRequestError } from './validation/validation.js';

export const BODY_LIMIT_BYTES = 64 * 1024;
/** For a request to arrive in. */
const RECEIVE_TIMEOUT_MS = 30_000;
/** Beyond the longest that an answer may take to begin, a connection on which nothing moves is closed. */
const SILENCE_MARGIN_MS = 15_000;
const MIN_COMPRESSED_BYTES = 1_024;
/** A client that sends its headers byte by byte is cut off after this time. */
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
const CHECK_TIMEOUTS_EVERY_MS = 5_000;

const BAD_ESCAPE = {
  detail: 'in the path, `%` must be followed by two hexadecimal digits, which spell UTF-8',
  pointer: '',
};

/** Fastify with our limits. It believes no proxy by itself: see `readClientAddresses`. */
export function httpAdapter({ requestTimeoutMs, publicUrl }: AppConfig['http']): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: RECEIVE_TIMEOUT_MS,
    connectionTimeout: requestTimeoutMs + LONGEST_EXTRA_TIME_MS + SILENCE_MARGIN_MS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
    },
    // What still arrives on open connections is served: to refuse it would fail requests in every release.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler: (error, socket) => {
      refuseConnection(error, socket, problemsUrl(publicUrl));
    },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const isUnreadable = error.code === 'FST_ERR_BAD_URL';
      sendProblem(request, reply, problemOf(isUnreadable ? new InvalidRequestError([BAD_ESCAPE]) : error));
    },
  });
}

/** Everything about HTTP that no single feature owns: ids, logs, limits, headers, compression. */
export async function prepareHttp(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorate('problemsUrl', problemsUrl(app.get(AppConfig).http.publicUrl));
  const logger: PinoLogger = await app.resolve(PinoLogger);
  logger.setContext('Http');
  noteRoutes(fastify);
  readClientAddresses(fastify, clientAddressReader(app.get(AppConfig).http));
  registerRequestHooks(fastify, logger, app.get(Metrics));
  limitAnswerTime(fastify, app.get(AppConfig).http.requestTimeoutMs);
  allowBodyLimits(fastify);
  tellDeprecations(fastify);

  acceptJsonOnly(fastify, BODY_LIMIT_BYTES);
  acceptCsvWhereWanted(fastify, BODY_LIMIT_BYTES);
  acceptJsonLinesWhereWanted(fastify, BODY_LIMIT_BYTES);
  acceptReportsWhereWanted(fastify, BODY_LIMIT_BYTES);
  acceptFormsWhereWanted(fastify);

  await registerSecurityHeaders(app);
  registerCacheControl(fastify);
  allowOrigins(app, app.get(AppConfig).http.corsOrigins);
  answerOptions(fastify);
  await app.register(cookie);
  compressNoSecrets(fastify);
  await app.register(compress, { threshold: MIN_COMPRESSED_BYTES, encodings: ['br', 'gzip'] });
}
