import { applyDecorators } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    deprecation?: Readonly<Record<string, string>>;
  }
}

/** When a route was deprecated and goes away, as dates (`2027-06-01`, midnight UTC), and what says what to use instead. */
export interface Deprecation {
  readonly since: string;
  readonly sunset: string;
  readonly link: string;
}

const SECOND_MS = 1_000;
/** What docs/versions.md promises at least. */
const MIN_NOTICE_DAYS = 184;
const DAY_MS = 86_400_000;

/**
 * This route goes away: every answer says so by `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link`, refusals included, and so
 * does the document. `docs/versions.md` says how long it stays at least.
 * @throws when it is declared, for what is no date, and for less notice than that
 */
export function Deprecated({ since, sunset, link }: Deprecation): MethodDecorator {
  const [from, until] = [timeOf(since), timeOf(sunset)];
  if (until - from < MIN_NOTICE_DAYS * DAY_MS) {
    throw new Error(`A route that is deprecated since ${since} stays longer than to ${sunset}.`);
  }
  return applyDecorators(
    ApiOperation({ deprecated: true, externalDocs: { url: link, description: `Goes away on ${sunset}.` } }),
    addRouteConfig({
      deprecation: {
        deprecation: `@${String(from / SECOND_MS)}`,
        sunset: new Date(until).toUTCString(),
        link: `<${link}>; rel="deprecation"; type="text/html", <${link}>; rel="sunset"; type="text/html"`,
      },
    }),
  );
}

/** Makes the decorator work. */
export function tellDeprecations(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const config = request.routeOptions.config as typeof request.routeOptions.config | undefined;
    if (config?.deprecation) {
      void reply.headers(config.deprecation);
    }
    done();
  });
}

function timeOf(date: string): number {
  const time = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(time)) {
    throw new Error(`${date} is no date such as 2027-06-01.`);
  }
  return time;
}
