import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { catchError, from, type Observable, switchMap, throwError } from 'rxjs';
import { requestContext } from '../context/request-context.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { intentOf } from './audit.decorator.js';

/** Announces to the request context what must be audited, and records the failure when it came to nothing. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly failures: AuditFailureWriter,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const intent = intentOf(this.reflector, execution);
    const context = requestContext();
    if (!intent || !context) {
      return next.handle();
    }
    context.audit = intent;
    return next
      .handle()
      .pipe(
        catchError((error: unknown) =>
          from(this.failures.record(intent, error)).pipe(switchMap(() => throwError(() => error))),
        ),
      );
  }
}
