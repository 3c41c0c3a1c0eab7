import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, mergeMap, type Observable, tap } from 'rxjs';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { newContext, runInContext } from '../context/request-context.js';
import { AdmissionLimiter } from '../http/admission/admission-limiter.js';
import { SocketRateLimiter } from '../rate-limit/socket-rate-limiter.js';
import type { DashboardSocket } from './sockets.js';

/** Counts each message of a dashboard among the requests of its person, and limits it like a request. */
@Injectable()
export class SocketLimitInterceptor implements NestInterceptor {
  constructor(
    private readonly limiter: SocketRateLimiter,
    private readonly admission: AdmissionLimiter,
    private readonly config: AppConfig,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { request, data } = context.switchToWs().getClient<DashboardSocket>();
    const userId = data.principal?.userId;
    const counted = userId === undefined ? this.limiter.countStranger(request) : this.limiter.countPerson(userId);
    return from(counted).pipe(
      tap(() => {
        this.admission.admit('read');
      }),
      mergeMap(() => inTime(next, userId, this.config.http.requestTimeoutMs)),
    );
  }
}

/** Gives the message a context of its own, in which nothing is begun when its time is over. */
function inTime(next: CallHandler, userId: string | undefined, limitMs: number): Observable<unknown> {
  const context = newContext('websocket', userId === undefined ? 'anonymous' : `user:${userId}`);
  context.deadline = performance.now() + limitMs;
  context.priority = 'read';
  return from(
    within(
      limitMs,
      runInContext(context, () => lastValueFrom(next.handle(), { defaultValue: undefined })),
    ),
  );
}
