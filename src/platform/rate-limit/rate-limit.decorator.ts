import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { addRouteConfig } from '../http/route-config.js';

/** The status of a refusal that judges nothing but the proof. */
type SpentBy = 401 | 422;

export const RATE_LIMITS = Symbol('rate limits');

/** What `@RateLimit` takes; `anonymous` and `user` hold on every route. */
export type RouteCategory = Exclude<RateCategory, 'anonymous' | 'user'>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Not limited at all. */
    unlimited?: boolean;
    /** Names a reader of RequestProofRegistry. */
    provenBy?: string;
    /** An answer of this status says that the proof itself is no good. */
    proofSpentBy?: SpentBy;
    /** See `@AnonymousWithToken`. */
    ignoresToken?: boolean;
  }
}

/** The limits that hold on this route, besides those that hold everywhere. */
export function RateLimit(...categories: RouteCategory[]): MethodDecorator & ClassDecorator {
  return applyDecorators(
    SetMetadata(RATE_LIMITS, categories),
    ApiResponse({
      status: 429,
      description: `Limited by ${categories.map((name) => `\`${name}\``).join(', ')}.`,
    }),
  );
}

/**
 * A request of this route may show by another secret than an access token who sends it: then the limits of that secret hold,
 * not those of the address, nor its block. An access token then counts for nothing, unless the route takes either.
 * @param proof names a reader of RequestProofRegistry.
 * @param spentBy where the route judges nothing but the proof: refused by this status, it proves nothing any more.
 * @param besideToken where the route takes an access token as well as the other secret
 */
export const ProvenBy = (
  proof: string,
  { spentBy, besideToken = false }: { spentBy?: SpentBy; besideToken?: boolean } = {},
): MethodDecorator =>
  addRouteConfig({
    provenBy: proof,
    ignoresToken: !besideToken,
    ...(spentBy !== undefined && { proofSpentBy: spentBy }),
  });

/**
 * A request of this public route counts as anonymous whatever access token comes with it. For routes where any name can be
 * typed: else an account of one's own would give more tries, and pass the block of the address.
 */
export const AnonymousWithToken = (): MethodDecorator => addRouteConfig({ ignoresToken: true });

/** For probes alone: a liveness check must get an answer. */
export const Unlimited = (): MethodDecorator => addRouteConfig({ unlimited: true });
