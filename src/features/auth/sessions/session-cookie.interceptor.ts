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
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { InvalidRefreshTokenError } from '../auth.errors.js';

/** `__Host-`: the browser keeps it for this host alone, over TLS alone, whatever a neighbouring host tries to set. */
export const REFRESH_COOKIE = '__Host-mortise_refresh';
export const CLIENT_TYPE_HEADER = 'X-Client-Type';

const TAKES_COOKIE = Symbol('takes the refresh cookie');
const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;

/** As much of a token response as the cookie takes over. */
interface Tokens {
  readonly refreshToken: string;
  readonly refreshExpiresIn: number;
}

/**
 * The refresh token of a web client travels in a cookie that no script can read, and the rest of auth knows nothing of
 * it: this moves the token from the cookie into the body on its way in, and out of the body on its way out. Only with
 * the header `X-Client-Type: web`, which no form and no foreign page can send without a preflight: a cookie that comes
 * without it is not looked at.
 */
@Injectable()
export class SessionCookieInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (request.headers[CLIENT_TYPE_HEADER.toLowerCase()] !== 'web') {
      return next.handle();
    }
    const reply = http.getResponse<FastifyReply>();
    if (this.reflector.get<boolean>(TAKES_COOKIE, context.getHandler())) {
      request.body = { refreshToken: cookieOf(request) };
    }
    return next.handle().pipe(map((answer: unknown) => handOver(reply, answer)));
  }
}

/**
 * For the routes that give or end a refresh token.
 * @param takes also for the one that takes it.
 */
export function WithSessionCookie({ takes = false }: { takes?: boolean } = {}): MethodDecorator {
  return applyDecorators(
    SetMetadata(TAKES_COOKIE, takes),
    UseInterceptors(SessionCookieInterceptor),
    ApiHeader({
      name: CLIENT_TYPE_HEADER,
      required: false,
      description: `With \`web\` the refresh token travels in the cookie \`${REFRESH_COOKIE}\`, not in the body.`,
      schema: { type: 'string', enum: ['web'] },
    }),
  );
}

function cookieOf(request: FastifyRequest): string {
  const token = request.cookies[REFRESH_COOKIE];
  if (!token) {
    throw new InvalidRefreshTokenError();
  }
  return token;
}

/** Tokens: the refresh token goes into the cookie. Anything else ends the session, and the cookie with it. */
function handOver(reply: FastifyReply, answer: unknown): unknown {
  if (!isTokens(answer)) {
    void reply.clearCookie(REFRESH_COOKIE, COOKIE);
    return answer;
  }
  const { refreshToken, ...rest } = answer;
  void reply.setCookie(REFRESH_COOKIE, refreshToken, { ...COOKIE, maxAge: answer.refreshExpiresIn });
  return rest;
}

function isTokens(answer: unknown): answer is Tokens {
  return typeof answer === 'object' && answer !== null && 'refreshToken' in answer;
}
