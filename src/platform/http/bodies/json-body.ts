import type { FastifyInstance } from 'fastify';
import { MAX_JSON_DEPTH, PayloadRefusedError, type PayloadFault, readPayload } from '../../../shared/json-payload.js';
import { jsonFault } from './json-fault.js';
import { shownName } from '../validation/field-faults.js';
import { InvalidRequestError } from '../validation/validation.js';

const DETAILS: Record<PayloadFault, string> = {
  not_utf8: 'the body must be UTF-8',
  malformed_json: 'the body must be JSON',
  too_deep: `the body must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`,
  repeated_name: 'stands more than once in its object',
  unstorable_text: 'text must not contain U+0000 or half of a surrogate pair',
  forbidden_name: 'no member may be called __proto__, or constructor with a prototype',
};

/** The space that may stand around JSON (RFC 8259): blank, tab and line ends. */
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

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
      // What devices say is read with the same tolerance on every way.
      const unstorable = request.uplink ? 'replaced' : 'refused';
      try {
        done(null, body.every((byte) => SPACE.has(byte)) ? undefined : readPayload(body, unstorable));
      } catch (error) {
        done(error instanceof PayloadRefusedError ? refusal(error, body) : (error as Error));
      }
    },
  );
}

function refusal({ fault, pointer }: PayloadRefusedError, body: Buffer): InvalidRequestError {
  const where = fault === 'malformed_json' ? jsonFault(body.toString()) : null;
  const name = fault === 'repeated_name' ? `${shownName(nameIn(pointer))} ` : '';
  return new InvalidRequestError([{ detail: name + DETAILS[fault] + (where === null ? '' : `: ${where}`), pointer }]);
}

/** The last name in a JSON Pointer. */
function nameIn(pointer: string): string {
  return (pointer.split('/').at(-1) ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
}
