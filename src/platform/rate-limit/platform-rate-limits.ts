import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { ipKey } from '../http/client-address.js';
import type { RateLimitCategories } from './rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof PLATFORM_RATE_LIMITS, true> {}
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The request was counted as anonymous, or is exempt. */
    settledAsAnonymous?: boolean;
    /** What it brought in place of an access token (`@ProvenBy`): the key that it is limited by. */
    provenAs?: string;
  }
}

interface RequestHead {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);
/**
 * The types of a body that a page may have sent elsewhere without asking first: those that CORS lists, none, and the reports that a
 * policy of its own asks for.
 */
const SIMPLE_TYPE =
  /^\s*(?:text\/plain|multipart\/form-data|application\/(?:x-www-form-urlencoded|csp-report|reports\+json))?\s*(?:;|$)/i;

/** The person whose limits hold: of the session, or of a valid access token on a public route. */
export function personOf({ principal, bearerId }: FastifyRequest): string | null {
  return principal?.userId ?? bearerId ?? null;
}

/** The key of limits per user: the user id, what the request brought in place of an access token, or its IP address. */
export function userKey(request: FastifyRequest): string {
  return personOf(request) ?? request.provenAs ?? anonymousKey(ipKey(request), request);
}

/**
 * A page of another site made a browser send this, behind the back of the person at it: without a preflight, so without a
 * token and without JSON. Browsers tell it themselves, and no script can change it (Fetch Metadata).
 */
export function isDriveBy({ method = 'GET', headers }: RequestHead): boolean {
  const isSimple = SAFE_METHODS.has(method) || (method === 'POST' && SIMPLE_TYPE.test(headers['content-type'] ?? ''));
  return isSimple && headers['sec-fetch-site'] === 'cross-site' && headers.authorization === undefined;
}

/** What foreign pages send has a count of its own, so that none is taken from the people at the address. */
export function anonymousKey(ip: string, request: RequestHead): string {
  return isDriveBy(request) ? `cross-site ${ip}` : ip;
}

/** The limits that hold on every route. */
export const PLATFORM_RATE_LIMITS = {
  anonymous: {
    description: 'Requests of an address without a valid access token.',
    limit: '100/1m',
    keyOf: (request) =>
      request.settledAsAnonymous || personOf(request) !== null ? null : anonymousKey(ipKey(request), request),
    everywhere: true,
  },
  user: {
    description: 'Requests of a signed-in person.',
    limit: '500/1m+50',
    keyOf: personOf,
    everywhere: true,
  },
} satisfies RateLimitCategories;
