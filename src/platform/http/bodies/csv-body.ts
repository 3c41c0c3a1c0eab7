import { applyDecorators } from '@nestjs/common';
import { ApiConsumes, ApiExtension } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { addRouteConfig } from '../route-config.js';
import { JSON_LINES, JSON_LINES_EXAMPLE } from './json-lines.js';
import { InvalidRequestError } from '../validation/validation.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    acceptsCsv?: boolean;
  }
}

const NOT_TEXT = 'the body must be UTF-8, or UTF-16 with a byte order mark';

/** Where the example stands until the document is complete. */
export const CSV_EXAMPLE = 'x-csv-example';

/**
 * This route takes `text/csv` beside JSON, up to so many bytes; the handler gets CSV as text.
 * @param example lines for the API document, the first of them with the names of the columns
 * @param jsonLines where it takes those, too: how many, and an example. The handler gets a list with one item for each line,
 * undefined for a blank one.
 */
export const CsvOrJson = (
  bytes: number,
  example: string,
  jsonLines?: { readonly max: number; readonly example: string },
): MethodDecorator =>
  applyDecorators(
    addRouteConfig({ acceptsCsv: true, bodyLimitBytes: bytes, ...(jsonLines && { maxJsonLines: jsonLines.max }) }),
    ApiConsumes('application/json', 'text/csv', ...(jsonLines ? [JSON_LINES] : [])),
    ApiExtension(CSV_EXAMPLE, example),
    ...(jsonLines ? [ApiExtension(JSON_LINES_EXAMPLE, jsonLines.example)] : []),
  );

/** Makes the decorator work; every other route answers 415 to CSV. */
export function acceptCsvWhereWanted(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit }, (request, body: Buffer, done) => {
    if (request.routeOptions.config.acceptsCsv !== true) {
      done(Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 }));
      return;
    }
    try {
      const text = new TextDecoder(encodingOf(body), { fatal: true }).decode(body);
      done(text.includes('\0') ? refusal(NOT_TEXT) : null, text);
    } catch {
      done(refusal(NOT_TEXT));
    }
  });
}

/** By the byte order mark, as spreadsheets write it: not all of them name the encoding in a header. */
function encodingOf(body: Buffer): string {
  const mark = body.subarray(0, 2).toString('hex');
  return mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
}

function refusal(detail: string): InvalidRequestError {
  return new InvalidRequestError([{ detail, pointer: '' }]);
}
