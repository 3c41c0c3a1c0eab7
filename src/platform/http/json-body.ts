import type { FastifyInstance } from 'fastify';
import { MAX_JSON_DEPTH, PayloadRefusedError, type PayloadFault, readPayload } from '../../shared/json-payload.js';
import { InvalidRequestError } from './validation.js';

const DETAILS: Record<PayloadFault, string> = {
  not_utf8: 'the body must be UTF-8',
  malformed_json: 'the body must be JSON',
  too_deep: `the body must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`,
  repeated_name: 'its object has another member of this name',
  unstorable_text: 'text must not contain U+0000 or half of a surrogate pair',
  forbidden_name: 'no member may be called __proto__, or constructor with a prototype',
};

/**
 * JSON or 415: no form posts, so no cross-site form can reach a route. And JSON that PostgreSQL can store, read as on
 * the device line. Clients name the type also where they send nothing; whether a body must be there, the route says.
 */
export function acceptJsonOnly(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer', bodyLimit },
    (_request, body: Buffer, done) => {
      try {
        done(null, body.length === 0 ? undefined : readPayload(body));
      } catch (error) {
        done(error instanceof PayloadRefusedError ? refusal(error) : (error as Error));
      }
    },
  );
}

function refusal({ fault, pointer }: PayloadRefusedError): InvalidRequestError {
  return new InvalidRequestError([{ detail: DETAILS[fault], pointer }]);
}
