import type { FastifyRequest } from 'fastify';
import type { RateCategory } from '../../config/app-config.js';
import { ipKey } from '../http/client-address.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** It was counted as anonymous, or need not be. */
    settledAsAnonymous?: boolean;
  }
}

const personOf = (request: FastifyRequest): string => request.principal?.userId ?? ipKey(request);

/** Whose requests each limit counts; null where it does not concern the request. */
export const LIMIT_KEYS: Readonly<Record<RateCategory, (request: FastifyRequest) => string | null>> = {
  anonymous: (request) => (request.principal || request.settledAsAnonymous ? null : ipKey(request)),
  user: (request) => request.principal?.userId ?? null,
  auth: ipKey,
  device: personOf,
  analytics: personOf,
  exports: personOf,
  admin: personOf,
  mail: personOf,
  unlock: (request) => (asksToUnlock(request.body) ? (request.target?.id ?? null) : null),
};

function asksToUnlock(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'name' in body && body.name === 'unlock_door';
}
