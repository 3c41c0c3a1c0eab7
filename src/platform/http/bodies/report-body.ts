import type { FastifyInstance } from 'fastify';
import { readPayload } from '../../../shared/json-payload.js';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    acceptsReports?: boolean;
  }
}

/** One by a browser of today, one of those before (Reporting API; CSP Level 2). */
const TYPES = ['application/reports+json', 'application/csp-report'];

/** This route takes what browsers report of a page, up to so many bytes. */
export const Reports = (bytes: number): MethodDecorator =>
  addRouteConfig({ acceptsReports: true, bodyLimitBytes: bytes });

/** Makes the decorator work; every other route answers 415 to reports. */
export function acceptReportsWhereWanted(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.addContentTypeParser(TYPES, { parseAs: 'buffer', bodyLimit }, (request, body: Buffer, done) => {
    if (request.routeOptions.config.acceptsReports !== true) {
      done(Object.assign(new Error('Unsupported Media Type'), { statusCode: 415 }));
      return;
    }
    try {
      done(null, readPayload(body));
    } catch {
      // Whatever a browser may have sent there: nothing depends on it.
      done(null, []);
    }
  });
}
