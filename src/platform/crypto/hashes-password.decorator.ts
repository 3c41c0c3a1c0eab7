import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { requestContext } from '../context/request-context.js';
import { userKey } from '../rate-limit/platform-rate-limits.js';

export const HASHES_PASSWORD = Symbol('hashes a password');

/** Names the person, or for strangers the address, whose share of the hasher a request takes. */
@Injectable()
class HashHolderInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const context = requestContext();
    if (context) {
      context.hashHolder = userKey(execution.switchToHttp().getRequest<FastifyRequest>());
    }
    return next.handle();
  }
}

/**
 * For every route that hashes or verifies a password, which costs far more than anything else that a request may ask for.
 * Without a `@RateLimit` beside it the application does not boot; without this one the hasher does not work for the route.
 */
export const HashesPassword = (): MethodDecorator =>
  applyDecorators(SetMetadata(HASHES_PASSWORD, true), UseInterceptors(HashHolderInterceptor));
