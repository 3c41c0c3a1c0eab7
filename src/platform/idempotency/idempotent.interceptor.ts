import { createHmac } from 'node:crypto';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  applyDecorators,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { AppConfig } from '../../config/app-config.js';
import { requestContext } from '../context/request-context.js';
import { deriveKey } from '../crypto/derived-key.js';
import { PROBLEM_RESPONSE } from '../http/problem.dto.js';
import { IdempotencyKeyRequiredError, InvalidIdempotencyKeyError } from './idempotency.errors.js';

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
        'Chosen by the client, 1 to 128 visible ASCII characters, remembered for 24 hours. A repeat answers with what the first request made.',
      schema: { type: 'string', minLength: 1, maxLength: 128, example: '5f2b7c1e-unlock-front-door' },
    }),
    ApiResponse({
      status: 409,
      description: 'Refused in the present state, or a request with this key is still running.',
      ...PROBLEM_RESPONSE,
    }),
    ApiResponse({ status: 422, description: 'The key was used with another request.', ...PROBLEM_RESPONSE }),
  );
}

/** Reads the key into the request context, where the service finds it inside its transaction. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #key: Buffer;

  constructor(
    private readonly reflector: Reflector,
    config: AppConfig,
  ) {
    this.#key = deriveKey(config.masterKey(), 'compare_requests');
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const options = this.reflector.get<{ required: boolean } | undefined>(IDEMPOTENT, context.getHandler());
    if (options && context.getType() === 'http') {
      this.claim(context.switchToHttp().getRequest<FastifyRequest>(), options.required);
    }
    return next.handle();
  }

  private claim(request: FastifyRequest, required: boolean): void {
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
        requestHash: this.hash(request),
      };
    }
  }

  /** Keyed, because a body may hold a password, and a hash that anybody can compute lets it be guessed. */
  private hash({ params, query, body }: FastifyRequest): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([params, query, body ?? null]))
      .digest();
  }
}
