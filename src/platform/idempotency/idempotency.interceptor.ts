import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  HttpStatus,
  SetMetadata,
  applyDecorators,
} from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, of, tap } from 'rxjs';
import { DomainError } from '../../shared/domain-error.js';
import { requestContext } from '../context/request-context.js';
import { Refuses } from '../http/problems/refuses.decorator.js';
import { requestAsRead } from '../http/request-as-read.js';
import { IdempotencyService } from './idempotency.service.js';
import {
  IdempotencyKeyInUseError,
  IdempotencyKeyRequiredError,
  IdempotencyKeyReusedError,
  InvalidIdempotencyKeyError,
} from './idempotency.errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** It repeats a request that was done, and is answered without a handler. */
    answeredAgain?: boolean;
    /** Asks the database whether it repeats one that was done; of signed-in people only. */
    isRepeat?: () => Promise<boolean>;
  }
}

const IDEMPOTENT = Symbol('idempotent');
const KEY_PATTERN = /^[\x21-\x7e]{1,128}$/;

/** A repeat of this POST with the same `Idempotency-Key` makes nothing new and answers with what the first one made. */
export function Idempotent(options: { required: boolean } = { required: false }): MethodDecorator {
  return applyDecorators(
    SetMetadata(IDEMPOTENT, options),
    ApiHeader({
      name: 'Idempotency-Key',
      required: options.required,
      description:
        'Chosen by the client, 1 to 128 visible ASCII characters, remembered for 24 hours. A repeat answers with what the first request made, and says so by `Idempotent-Replayed: true`.',
      schema: { type: 'string', minLength: 1, maxLength: 128, example: '5f2b7c1e-unlock-front-door' },
    }),
    Refuses(InvalidIdempotencyKeyError, IdempotencyKeyInUseError, IdempotencyKeyReusedError),
    ...(options.required ? [Refuses(IdempotencyKeyRequiredError)] : []),
  );
}

/** Reads the key into the request context, where the service finds it inside its transaction. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly idempotency: IdempotencyService,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') {
      return next.handle();
    }
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    this.read(context, request);
    const current = requestContext();
    return (request.answeredAgain ? of(undefined) : next.handle()).pipe(
      tap(() => {
        if (request.answeredAgain || current?.replayed) {
          void context.switchToHttp().getResponse<FastifyReply>().header('Idempotent-Replayed', 'true');
        }
      }),
    );
  }

  /**
   * Whether this request repeats one of the same user that was done and has an empty answer. The answer is given again
   * before the request is authorized: the first one may have taken the permission, as leaving a group does.
   * @throws IdempotencyKeyReusedError for another request
   */
  async answersAgain(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const status = this.reflector.get<number | undefined>(HTTP_CODE_METADATA, context.getHandler());
    request.isRepeat = () => this.isRepeat(context, request);
    if (status !== HttpStatus.NO_CONTENT || !this.read(context, request)) {
      return false;
    }
    request.answeredAgain = await this.idempotency.isRepeat();
    return request.answeredAgain;
  }

  /** A request that the route will refuse for its key is none. */
  private async isRepeat(context: ExecutionContext, request: FastifyRequest): Promise<boolean> {
    try {
      return this.read(context, request) && (await this.idempotency.isRepeat());
    } catch (error) {
      if (error instanceof DomainError) {
        return false;
      }
      throw error;
    }
  }

  private read(context: ExecutionContext, request: FastifyRequest): boolean {
    const options = this.reflector.get<{ required: boolean } | undefined>(IDEMPOTENT, context.getHandler());
    if (options) {
      this.claim(context, request, options.required);
    }
    return options !== undefined;
  }

  private claim(context: ExecutionContext, request: FastifyRequest, required: boolean): void {
    const key = request.headers['idempotency-key'];
    const current = requestContext();
    if (key === undefined) {
      if (required) {
        throw new IdempotencyKeyRequiredError();
      }
      return;
    }
    if (typeof key !== 'string' || !KEY_PATTERN.test(key)) {
      throw new InvalidIdempotencyKeyError();
    }
    if (current && request.principal) {
      current.idempotency = {
        key,
        route: `${request.method} ${request.routeOptions.url ?? ''}`,
        userId: request.principal.userId,
        asked: requestAsRead(context),
      };
    }
  }
}
