import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PinoLogger } from 'nestjs-pino';
import { catchError, from, type Observable, switchMap, throwError } from 'rxjs';
import type { AuditAction } from '../../contracts/audit.js';
import { requestContext } from '../context/request-context.js';
import { problemOf } from '../http/problem.js';
import { AuditTrail } from './audit-trail.js';

export const AUDITED = Symbol('audited');

/** This route changes something, or looks into other people's data: no transaction of it commits without an audit entry. */
export const Audit = (action: AuditAction): MethodDecorator => SetMetadata(AUDITED, action);

/** Announces to the request context what must be audited, and records the failure when it came to nothing. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly trail: AuditTrail,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(AuditInterceptor.name);
  }

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const action = this.reflector.get<AuditAction | undefined>(AUDITED, execution.getHandler());
    const context = requestContext();
    if (!action || !context) {
      return next.handle();
    }
    context.audit = { action, recorded: false };
    return next
      .handle()
      .pipe(
        catchError((error: unknown) =>
          from(this.recordFailure(action, error)).pipe(switchMap(() => throwError(() => error))),
        ),
      );
  }

  private async recordFailure(action: AuditAction, error: unknown): Promise<void> {
    try {
      await this.trail.recordFailure(action, problemOf(error).code);
    } catch (failure) {
      // The request failed already, so nothing was changed without a trace; but somebody should know.
      this.logger.error({ err: failure, action }, 'A failure could not be audited');
    }
  }
}
