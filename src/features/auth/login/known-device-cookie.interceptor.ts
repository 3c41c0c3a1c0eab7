import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, tap } from 'rxjs';
import { CLIENT_TYPE_HEADER } from '../sessions/session-cookie.interceptor.js';

export const KNOWN_DEVICE_COOKIE = '__Host-mortise_device';

/** What a route does with the cookie. */
interface CookieUse {
  /** Takes the token from the cookie into the body. */
  readonly takes?: boolean;
  /** Clears the cookie once it succeeded. */
  readonly forgets?: boolean;
}

const COOKIE_USE = Symbol('use of the known-device cookie');
const CLEARED = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;
const COOKIE = { ...CLEARED, maxAge: 365 * 86_400 } as const;
const SHAPE = /^[\w-]{64}$/;

/**
 * The token of a web client's known device travels in a cookie that no script can read: it is moved from there into the
 * body of a login, and out of the body of every answer that holds one. Only with the header `X-Client-Type: web`.
 */
@Injectable()
export class KnownDeviceCookieInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (request.headers[CLIENT_TYPE_HEADER.toLowerCase()] !== 'web') {
      return next.handle();
    }
    const { takes, forgets } = this.reflector.get<CookieUse>(COOKIE_USE, context.getHandler());
    const reply = http.getResponse<FastifyReply>();
    const knownDevice = request.cookies[KNOWN_DEVICE_COOKIE];
    if (knownDevice !== undefined && !SHAPE.test(knownDevice)) {
      // No script can read or change it, so a login that refused it would go on refusing until the cookie expires.
      void reply.clearCookie(KNOWN_DEVICE_COOKIE, CLEARED);
    } else if (takes && knownDevice !== undefined) {
      request.body = { ...(request.body as object), knownDevice };
    }
    if (forgets) {
      return next.handle().pipe(tap(() => void reply.clearCookie(KNOWN_DEVICE_COOKIE, CLEARED)));
    }
    return next.handle().pipe(map((answer?: object) => answer && moveToCookie(reply, answer)));
  }
}

/**
 * For the routes that answer the token of a known device, or read it.
 * @param use `takes` for a route that reads it, `forgets` for one after which no device is known.
 */
export function WithKnownDeviceCookie(use: CookieUse = {}): MethodDecorator {
  return applyDecorators(SetMetadata(COOKIE_USE, use), UseInterceptors(KnownDeviceCookieInterceptor));
}

function moveToCookie(reply: FastifyReply, answer: object & { knownDevice?: string }): object {
  const { knownDevice, ...rest } = answer;
  if (knownDevice !== undefined) {
    void reply.setCookie(KNOWN_DEVICE_COOKIE, knownDevice, COOKIE);
  }
  return rest;
}
