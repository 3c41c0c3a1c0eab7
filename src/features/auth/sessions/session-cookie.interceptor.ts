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

/** `__Host-`: the browser accepts it from this host over TLS only, so that no neighbouring host can set it. */
export const REFRESH_COOKIE = '__Host-mortise_refresh';
export const CLIENT_TYPE_HEADER = 'X-Client-Type';

const TAKES_COOKIE = Symbol('takes the refresh cookie');
const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;

/** The part of a token response that moves into the cookie. */
interface Tokens {
  readonly refreshToken: string;
  readonly refreshExpiresIn: number;
}

/**
 * The refresh token of a web client travels in a cookie that no script can read. This moves the token from the cookie into
 * the body of a request, and out of the body of an answer, so that the rest of auth knows no cookie. Only with the header
 * `X-Client-Type: web`, which no form and no foreign page can send without a preflight; without it the cookie is ignored.
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
      request.body = { ...(request.body as object | undefined), refreshToken: cookieOf(request) };
    }
    return next.handle().pipe(map((answer: unknown) => moveToCookie(reply, answer)));
  }
}

/**
 * For the routes that give or end a refresh token.
 * @param takes for a route that also reads it from the cookie.
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

/** Moves the refresh token of an answer into the cookie. An answer without one ended the session, so the cookie is cleared. */
function moveToCookie(reply: FastifyReply, answer: unknown): unknown {
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
