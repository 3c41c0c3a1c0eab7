import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { addRouteConfig } from '../route-config.js';
import { formOf } from './form-body.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    acceptsOneClicks?: boolean;
  }
}

/** As mail programs post it (RFC 8058, section 3.1). */
const TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'];
const BODY_LIMIT_BYTES = 4_096;

/** This route takes the form that a mail program posts for one click. What the form says is fixed, and is not read. */
export const OneClick = (): MethodDecorator =>
  applyDecorators(
    addRouteConfig({ acceptsOneClicks: true, bodyLimitBytes: BODY_LIMIT_BYTES }),
    ApiConsumes(...TYPES),
    ApiBody({
      required: false,
      schema: {
        type: 'object',
        properties: { 'List-Unsubscribe': { type: 'string', enum: ['One-Click'], example: 'One-Click' } },
      },
    }),
  );

/** Makes this decorator work, and `@Form`; every other route answers 415 to forms. */
export function acceptFormsWhereWanted(fastify: FastifyInstance): void {
  fastify.addContentTypeParser(
    TYPES,
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (request, body: Buffer, done) => {
      if (request.routeOptions.config.acceptsForms === true) {
        done(null, formOf(body));
        return;
      }
      if (request.routeOptions.config.acceptsOneClicks === true) {
        done(null, {});
        return;
      }
      done(Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 }));
    },
  );
}
