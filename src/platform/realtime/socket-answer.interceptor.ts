import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { catchError, map, type Observable, of } from 'rxjs';
import type { SocketAck } from '../../contracts/realtime.js';
import { socketProblemOf } from './sockets.js';

/** Every request of a dashboard is acknowledged: `{ok: true}`, or the problem it met. */
@Injectable()
export class SocketAnswerInterceptor implements NestInterceptor<unknown, SocketAck> {
  constructor(private readonly logger: PinoLogger) {
    logger.setContext(SocketAnswerInterceptor.name);
  }

  intercept(_context: ExecutionContext, next: CallHandler): Observable<SocketAck> {
    return next.handle().pipe(
      map((): SocketAck => ({ ok: true })),
      catchError((error: unknown) => {
        const problem = socketProblemOf(error);
        if (problem.status >= 500) {
          this.logger.error({ err: error }, 'A socket request failed');
        }
        return of<SocketAck>({ error: problem });
      }),
    );
  }
}
