import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PayloadRefusedError, readPayload } from '../../../shared/json-payload.js';
import { areJsonLines, isBlank, readJsonLines } from './json-lines.js';
import { refusalOfJson } from './json-refusal.js';

/**
 * JSON or 415: no form posts, so no cross-site form can reach a route with anything in it. And JSON that PostgreSQL can
 * store, read as on the device line. Clients name a type also where they send nothing, and not always JSON: what has no
 * body has no type. Whether a body must be there, the route says.
 */
export function acceptJsonOnly(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.removeAllContentTypeParsers();
  // Behind the limits of anonymous requests, which tell those of foreign pages by their type.
  fastify.addHook('preParsing', ({ headers }, _reply, _payload, done) => {
    if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) {
      delete headers['content-type'];
    }
    done();
  });
  fastify.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer', bodyLimit },
    (request, body: Buffer, done) => {
      if (request.routeOptions.config.takesRawJson === true) {
        done(null, body);
        return;
      }
      try {
        done(null, isBlank(body) ? undefined : readJson(request, body));
      } catch (error) {
        done(error instanceof PayloadRefusedError ? refusalOfJson(error, body.toString()) : (error as Error));
      }
    },
  );
}

/** Databases export lists as JSON lines, and not all who send them name another type. */
function readJson({ uplink, routeOptions }: FastifyRequest, body: Buffer): unknown {
  const { maxJsonLines } = routeOptions.config;
  try {
    // What devices say is read with the same tolerance on every way.
    return readPayload(body, uplink ? 'replaced' : 'refused');
  } catch (error) {
    const isMalformed = error instanceof PayloadRefusedError && error.fault === 'malformed_json';
    if (isMalformed && maxJsonLines !== undefined && areJsonLines(body)) {
      return readJsonLines(body, maxJsonLines);
    }
    throw error;
  }
}
