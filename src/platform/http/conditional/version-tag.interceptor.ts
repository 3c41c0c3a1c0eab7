import { hash } from 'node:crypto';
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  HttpStatus,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import { map, type Observable } from 'rxjs';

const DIGEST_LENGTH = 16;

interface Versioned {
  readonly version: number;
}

/**
 * Serves the `ETag` of a resource (RFC 9110, section 8.8.3): its `version`, which `If-Match` insists on, and a digest of
 * what is shown. A lock moves without being changed, so the version alone would call an old state the present one.
 * Who reads with a matching `If-None-Match` gets 304 and no body.
 */
@Injectable()
export class VersionTagInterceptor implements NestInterceptor<Versioned, Versioned | undefined> {
  intercept(context: ExecutionContext, next: CallHandler<Versioned>): Observable<Versioned | undefined> {
    const http = context.switchToHttp();
    const { method, headers } = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const reads = method === 'GET' || method === 'HEAD';
    return next.handle().pipe(
      map((resource) => {
        const tag = tagOf(resource.version, JSON.stringify(resource));
        void reply.header('ETag', tag);
        if (reads && matches(headers['if-none-match'], tag)) {
          void reply.status(HttpStatus.NOT_MODIFIED);
          return undefined;
        }
        return resource;
      }),
    );
  }
}

/** A GET of one resource that answers with its `ETag`, and with 304 to who has that already. */
export function ReadVersioned(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(VersionTagInterceptor),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'An `ETag` you have, several of them, or `*`: 304 if it still is one of these.',
    }),
    ApiResponse({ status: 304, description: 'Not modified: what you have is what it is.' }),
  );
}

/**
 * By the weak comparison, as RFC 9110 asks for `If-None-Match`. The library also splits at commas within a tag: ours
 * have none.
 */
export function matches(header: string | undefined, tag: string): boolean {
  return fresh({ 'if-none-match': header?.trim() }, { etag: tag });
}

/** The strong tag of a resource, which `If-Match` takes. */
export function tagOf(version: number, json: string | Buffer): string {
  return `"${String(version)}-${digestOf(json)}"`;
}

/** Of an answer that no change refers to: weak, because the same answer may be encoded in several ways. */
export function weakTagOf(json: string | Buffer): string {
  return `W/"${digestOf(json)}"`;
}

function digestOf(json: string | Buffer): string {
  return hash('sha256', json, 'base64url').slice(0, DIGEST_LENGTH);
}
