import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { catchError, map, type Observable, of } from 'rxjs';
import { AppConfig } from '../../config/app-config.js';
import type { RefusedRequest, SocketAck } from '../../contracts/realtime.js';
import { refusedRequest, socketProblemOf } from './sockets.js';

/** What the framework emits instead of an acknowledgement. */
interface Emitted {
  readonly event: 'problem';
  readonly data: RefusedRequest;
}

/**
 * Every request of a dashboard is acknowledged: `{ok: true}` with what its handler answers, or the problem it met. Sent without an acknowledgement, it is
 * told of the problem alone.
 */
@Injectable()
export class SocketAnswerInterceptor implements NestInterceptor<unknown, SocketAck | Emitted | null> {
  constructor(
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SocketAnswerInterceptor.name);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<SocketAck | Emitted | null> {
    const { publicUrl } = this.config.http;
    const takesAnswer = context.getArgs().some((argument) => typeof argument === 'function');
    return next.handle().pipe(
      map((answer: unknown): SocketAck => Object.assign({ ok: true } as const, answer)),
      catchError((error: unknown) => {
        const problem = socketProblemOf(error, publicUrl);
        if (problem.status >= 500) {
          this.logger.error({ err: error }, 'A socket request failed');
        }
        return of(takesAnswer ? { error: problem } : emitted(context.switchToWs().getPattern(), error, publicUrl));
      }),
    );
  }
}

/** Null, which the framework does not send, where there is nothing to tell. */
function emitted(request: string, error: unknown, publicUrl: string): Emitted | null {
  const data = refusedRequest(request, error, publicUrl);
  return data && { event: 'problem', data };
}
