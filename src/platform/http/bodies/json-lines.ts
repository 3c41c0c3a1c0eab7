import type { FastifyInstance } from 'fastify';
import { PayloadRefusedError, readPayload } from '../../../shared/json-payload.js';
import { refusalOfJson } from './json-refusal.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** This route takes JSON lines, too, of which at most one more than so many are read. */
    maxJsonLines?: number;
  }
}

export const JSON_LINES = 'application/x-ndjson';
/** Where the example stands until the document is complete. */
export const JSON_LINES_EXAMPLE = 'x-json-lines-example';

const LINE_END = 0x0a;

/** Takes JSON lines by their own type, where a route does; every other one answers 415 to them. */
export function acceptJsonLinesWhereWanted(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.addContentTypeParser(
    [JSON_LINES, 'application/jsonl'],
    { parseAs: 'buffer', bodyLimit },
    (request, body: Buffer, done) => {
      const { maxJsonLines } = request.routeOptions.config;
      if (maxJsonLines === undefined) {
        done(Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 }));
        return;
      }
      try {
        done(null, readJsonLines(body, maxJsonLines));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** Whether the first line that holds something is an object by itself. */
export function areJsonLines(body: Buffer): boolean {
  for (const { bytes } of filledLines(body)) {
    try {
      const first = readPayload(bytes);
      return typeof first === 'object' && first !== null && !Array.isArray(first);
    } catch {
      return false;
    }
  }
  return false;
}

/**
 * Each line as JSON by itself. The place of a document in the list is its line: where a line is blank, the list has
 * undefined. Of more than `max` documents, one more is read, so that the reader of the list sees that there are too many.
 * @throws InvalidRequestError
 */
export function readJsonLines(body: Buffer, max: number): unknown[] {
  const documents: unknown[] = [];
  let read = 0;
  for (const { line, bytes } of filledLines(body)) {
    try {
      documents[line - 1] = readPayload(bytes);
    } catch (error) {
      throw error instanceof PayloadRefusedError ? refusalOfJson(error, bytes.toString(), line) : error;
    }
    if (++read > max) {
      break;
    }
  }
  return Array.from(documents);
}

function* filledLines(body: Buffer): Generator<{ line: number; bytes: Buffer }> {
  let start = 0;
  for (let line = 1; start < body.length; line++) {
    const next = body.indexOf(LINE_END, start);
    const end = next === -1 ? body.length : next;
    const bytes = body.subarray(start, end);
    if (bytes.toString('latin1').trim() !== '') {
      yield { line, bytes };
    }
    start = end + 1;
  }
}
