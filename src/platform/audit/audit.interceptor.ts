import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { catchError, from, type Observable, switchMap, throwError } from 'rxjs';
import { requestContext } from '../context/request-context.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditRegistry } from './audit-registry.js';
import { intentOf } from './audit.decorator.js';

/** Puts what must be audited into the request context, and records the failure of the request. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly registry: AuditRegistry,
    private readonly failures: AuditFailureWriter,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const intent = intentOf(this.reflector, this.registry, execution);
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
