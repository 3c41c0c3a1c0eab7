import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { catchError, concatMap, from, type Observable, switchMap, throwError } from 'rxjs';
import type { AuditIntent } from '../../contracts/audit.js';
import { requestContext } from '../context/request-context.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditRegistry } from './audit-registry.js';
import { AuditReadWriter } from './audit-read-writer.js';
import { intentOf, READING } from './audit.decorator.js';

/** Puts what must be audited into the request context, and records reads, and the failure of the request. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly registry: AuditRegistry,
    private readonly failures: AuditFailureWriter,
    private readonly reads: AuditReadWriter,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const intent = intentOf(this.reflector, this.registry, execution);
    const context = requestContext();
    if (!intent || !context) {
      return next.handle();
    }
    if (this.reflector.get<boolean | undefined>(READING, execution.getHandler())) {
      return this.interceptRead(execution.switchToHttp().getRequest<FastifyRequest>(), intent, next);
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

  /** The entry is written when the answer is known, and before it leaves. */
  private interceptRead(
    { principal, target }: FastifyRequest,
    intent: AuditIntent,
    next: CallHandler,
  ): Observable<unknown> {
    const { action, target: entity } = intent;
    if (!principal || !entity || (target && 'owned' in target && target.owned)) {
      return next.handle();
    }
    return next.handle().pipe(
      concatMap(async (answer: unknown) => {
        await this.reads.record(action, entity);
        return answer;
      }),
      catchError(async (error: unknown) => {
        await this.failures.recordRefusal(principal.userId, intent, error);
        throw error;
      }),
    );
  }
}
