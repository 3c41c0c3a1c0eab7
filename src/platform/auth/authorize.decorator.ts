import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Demand, isRoleDemand, MEANT_BY, type ResourceKind, type Resources } from '../../contracts/resources.js';
import { Refuses } from '../http/problems/refuses.decorator.js';
import {
  ForbiddenError,
  ResourceNotFoundError,
  SessionEndedError,
  SessionEvictedError,
  TokenExpiredError,
  TokenInvalidError,
  UnauthenticatedError,
} from './auth.errors.js';
import type { Principal } from './principal.js';

/**
 * What a route asks for. `demand` is null where being signed in is enough; `uplink` where no person calls, but what has
 * shown a token of its own before.
 */
export type AccessRule =
  { readonly public: true } | { readonly public: false; readonly demand: Demand | 'uplink' | null };

export const ACCESS_RULE = Symbol('access rule');

declare module 'fastify' {
  interface FastifyRequest {
    principal?: Principal;
    /** Whose valid access token came along on a public route: their limits hold, and nothing else follows from it. */
    bearerId?: string;
    target?: Resources[ResourceKind]['ref'];
  }
}

/** The route needs no access token. */
export const Public = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ACCESS_RULE, { public: true } satisfies AccessRule);

/**
 * Only signed-in people may call this route and, with a demand such as `device:control`, only those with that
 * permission on the resource named by the route parameter (`deviceId`). A resource of another
 * user answers 404, too little permission 403. The same decorator documents the route, so that the documentation cannot drift.
 */
export function Authorize(demand: Demand | null = null): MethodDecorator & ClassDecorator {
  return applyDecorators(
    SetMetadata(ACCESS_RULE, { public: false, demand } satisfies AccessRule),
    ApiBearerAuth(),
    Refuses(UnauthenticatedError, TokenExpiredError, TokenInvalidError, SessionEndedError, SessionEvictedError),
    ...(demand ? [ApiResponse({ status: 403, description: needOf(demand) }), Refuses(new ForbiddenError(demand))] : []),
    ...(demand && !isRoleDemand(demand) ? [Refuses(new ResourceNotFoundError(demand.split(':')[0] ?? ''))] : []),
  );
}

function needOf(demand: Demand): string {
  const meant = isRoleDemand(demand) ? undefined : MEANT_BY[demand];
  return `Needs \`${demand}\`${meant === undefined ? '' : `, which is for ${meant}`}.`;
}

/** The authenticated user of the request. Only on routes with `@Authorize`. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  return attached(context, 'principal');
});

/** The resource that the guard resolved for `@Authorize('kind:permission')`. */
export const Target = createParamDecorator((_data: unknown, context: ExecutionContext) => attached(context, 'target'));

function attached<K extends 'principal' | 'target'>(context: ExecutionContext, key: K): NonNullable<FastifyRequest[K]> {
  const value = context.switchToHttp().getRequest<FastifyRequest>()[key];
  if (value === undefined) {
    throw new Error(`The route has no ${key}: is its @Authorize missing?`);
  }
  return value;
}
