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
  }
}

/** The key of limits per user: the user id, or the IP address of a request without a valid access token. */
export function userKey(request: FastifyRequest): string {
  return request.principal?.userId ?? ipKey(request);
}

/** The limits that hold on every route. */
export const PLATFORM_RATE_LIMITS = {
  anonymous: {
    description: 'Requests of an address without a valid access token.',
    limit: '100/1m',
    keyOf: (request) => (request.principal || request.settledAsAnonymous ? null : ipKey(request)),
    everywhere: true,
  },
  user: {
    description: 'Requests of a signed-in person.',
    limit: '500/1m+50',
    keyOf: (request) => request.principal?.userId ?? null,
    everywhere: true,
  },
} satisfies RateLimitCategories;
