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

const FORGETS = Symbol('forgets the device');
const CLEARED = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;
const COOKIE = { ...CLEARED, maxAge: 365 * 86_400 } as const;
const SHAPE = /^[\w-]{64}$/;

/**
 * The token by which a web client's device is known travels in a cookie that no script can read: from there into the
 * body of a login, and out of the body of every answer that holds one. Not without the header `X-Client-Type: web`.
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
    const reply = http.getResponse<FastifyReply>();
    const knownDevice = request.cookies[KNOWN_DEVICE_COOKIE];
    if (knownDevice !== undefined && !SHAPE.test(knownDevice)) {
      // No browser can show or change it: a login that refused it would go on refusing for as long as it lives.
      void reply.clearCookie(KNOWN_DEVICE_COOKIE, CLEARED);
    } else if (context.getHandler().name === 'login' && knownDevice !== undefined) {
      request.body = { ...(request.body as object), knownDevice };
    }
    if (this.reflector.get<boolean>(FORGETS, context.getHandler())) {
      return next.handle().pipe(tap(() => void reply.clearCookie(KNOWN_DEVICE_COOKIE, CLEARED)));
    }
    return next.handle().pipe(map((answer: object) => handOver(reply, answer)));
  }
}

/**
 * For the routes that take, or answer, the token of a known device.
 * @param forgets for one after which no device is known.
 */
export function WithKnownDeviceCookie({ forgets = false }: { forgets?: boolean } = {}): MethodDecorator {
  return applyDecorators(SetMetadata(FORGETS, forgets), UseInterceptors(KnownDeviceCookieInterceptor));
}

function handOver(reply: FastifyReply, answer: object & { knownDevice?: string }): object {
  const { knownDevice, ...rest } = answer;
  if (knownDevice !== undefined) {
    void reply.setCookie(KNOWN_DEVICE_COOKIE, knownDevice, COOKIE);
  }
  return rest;
}
