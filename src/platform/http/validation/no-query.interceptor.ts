import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { Refuses } from '../problems/refuses.decorator.js';
import { pointerTo, shownName, unknownMember } from './field-faults.js';
import { InvalidRequestError } from './validation.js';

/** Refuses every parameter of a query. */
class NoQueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    const faults = Object.keys(query as object).map((name) => unknownMember(shownName(name), pointerTo('', name)));
    if (faults.length > 0) {
      throw new InvalidRequestError(faults);
    }
    return next.handle();
  }
}

/** For a route that takes no query, where one would look as if it counted: it stands beside a list with filters. */
export const TakesNoQuery = (): MethodDecorator =>
  applyDecorators(UseInterceptors(NoQueryInterceptor), Refuses(InvalidRequestError));
