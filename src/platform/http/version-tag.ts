import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';

/** Matches no version there is. */
const NO_VERSION = -1;

/** Serves the `version` of a resource as its `ETag` (RFC 9110, section 8.8.3). */
@Injectable()
export class VersionTag implements NestInterceptor<{ version: number }> {
  intercept(context: ExecutionContext, next: CallHandler<{ version: number }>): Observable<{ version: number }> {
    return next.handle().pipe(
      map((resource) => {
        void context
          .switchToHttp()
          .getResponse<FastifyReply>()
          .header('ETag', `"${String(resource.version)}"`);
        return resource;
      }),
    );
  }
}

/** The version that `If-Match` insists on; undefined without it, or with `*`. */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): number | undefined =>
  versionOf(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

export function versionOf(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') {
    return undefined;
  }
  const version = /^"(\d{1,9})"$/.exec(header.trim())?.[1];
  return version === undefined ? NO_VERSION : Number(version);
}
