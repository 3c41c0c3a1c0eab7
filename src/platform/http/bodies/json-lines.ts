import type { FastifyInstance } from 'fastify';
import { PayloadRefusedError, readPayload } from '../../../shared/json-payload.js';
import { InvalidRequestError } from '../validation/validation.js';
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
/** Lines that may be there for each document that is taken: most exports have no blank ones. */
const LINES_EACH = 10;

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

/** Whether it holds nothing but the space that may stand around JSON. */
export function isBlank(body: Buffer): boolean {
  return filledLines(body).next().done === true;
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
 * undefined, and the number of lines is bounded. Of more than `max` documents, one more is read, so that the reader of the
 * list sees that there are too many.
 * @throws InvalidRequestError
 */
export function readJsonLines(body: Buffer, max: number): unknown[] {
  const documents: unknown[] = [];
  let read = 0;
  for (const { line, bytes } of filledLines(body)) {
    if (line > LINES_EACH * max) {
      const detail = `JSON lines have at most ${String(LINES_EACH * max)} lines, with those that are blank`;
      throw new InvalidRequestError([{ detail, pointer: '' }]);
    }
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
  let [line, start] = [1, 0];
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (byte === LINE_END) {
      line++;
      start = index + 1;
    } else if (!isSpace(byte)) {
      const next = body.indexOf(LINE_END, index);
      const end = next === -1 ? body.length : next;
      yield { line, bytes: body.subarray(start, end) };
      index = end - 1;
    }
  }
}

/** The space of RFC 8259: blank, tab and line ends. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === LINE_END || byte === 0x0d;
}
