import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { InvalidRequestError } from './validation.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    acceptsCsv?: boolean;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** This route takes `text/csv` beside JSON, up to so many bytes; the handler gets CSV as text. */
export const CsvOrJson = (bytes: number): MethodDecorator => RouteConfig({ acceptsCsv: true, bodyLimitBytes: bytes });

/** Makes the decorator work; every other route answers 415 to CSV. */
export function acceptCsvWhereWanted(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit }, (request, body: Buffer, done) => {
    if (request.routeOptions.config.acceptsCsv !== true) {
      done(Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 }));
      return;
    }
    try {
      const text = decoder.decode(body);
      done(text.includes('\0') ? refusal('text must not contain U+0000') : null, text);
    } catch {
      done(refusal('the body must be UTF-8'));
    }
  });
}

function refusal(detail: string): InvalidRequestError {
  return new InvalidRequestError([{ detail, pointer: '' }]);
}
