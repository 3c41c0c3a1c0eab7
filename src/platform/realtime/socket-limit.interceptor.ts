import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { from, mergeMap, type Observable } from 'rxjs';
import { SocketRateLimiter } from '../rate-limit/socket-rate-limiter.js';
import type { DashboardSocket } from './sockets.js';

/** Counts each message of a dashboard among the requests of its person. */
@Injectable()
export class SocketLimitInterceptor implements NestInterceptor {
  constructor(private readonly limiter: SocketRateLimiter) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { request, data } = context.switchToWs().getClient<DashboardSocket>();
    const userId = data.principal?.userId;
    const counted = userId === undefined ? this.limiter.countStranger(request) : this.limiter.countPerson(userId);
    return from(counted).pipe(mergeMap(() => next.handle()));
  }
}
