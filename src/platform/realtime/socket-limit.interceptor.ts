import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { from, lastValueFrom, mergeMap, type Observable, tap } from 'rxjs';
import { AppConfig } from '../../config/app-config.js';
import { within } from '../../shared/deadline.js';
import { type RequestContext, type RequestPriority, runInContext } from '../context/request-context.js';
import { AdmissionLimiter } from '../http/admission/admission-limiter.js';
import { clientAddressReader } from '../http/client-address.js';
import { SocketRateLimiter } from '../rate-limit/socket-rate-limiter.js';
import { contextOf } from './socket-context.js';
import { SOCKET_PRIORITY } from './socket-priority.decorator.js';
import type { DashboardSocket } from './sockets.js';

/** Counts each message of a dashboard among the requests of its person, and limits it like a request. */
@Injectable()
export class SocketLimitInterceptor implements NestInterceptor {
  readonly #addressOf;

  constructor(
    private readonly limiter: SocketRateLimiter,
    private readonly admission: AdmissionLimiter,
    private readonly config: AppConfig,
    private readonly reflector: Reflector,
  ) {
    this.#addressOf = clientAddressReader(config.http);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const socket = context.switchToWs().getClient<DashboardSocket>();
    const userId = socket.data.principal?.userId;
    const priority = this.reflector.get<RequestPriority | undefined>(SOCKET_PRIORITY, context.getHandler()) ?? 'read';
    const counted =
      userId === undefined ? this.limiter.countStranger(socket.request) : this.limiter.countPerson(userId);
    return from(counted).pipe(
      tap(() => {
        this.admission.admit(priority);
      }),
      mergeMap(() =>
        inTime(next, { ...contextOf(socket, this.#addressOf), priority }, this.config.http.requestTimeoutMs),
      ),
    );
  }
}

/** Gives the message a context of its own, in which nothing is begun when its time is over. */
function inTime(next: CallHandler, context: RequestContext, limitMs: number): Observable<unknown> {
  context.deadline = performance.now() + limitMs;
  return from(
    within(
      limitMs,
      runInContext(context, () => lastValueFrom(next.handle(), { defaultValue: undefined })),
    ),
  );
}
