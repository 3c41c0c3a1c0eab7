import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { CacheInterceptor } from './cache.interceptor.js';
import { CACHED, type CachedOptions } from './cached.types.js';

/** Where the headers of such an answer stand until the document is complete. */
export const CACHED_ANSWER = 'x-cached-answer';

/**
 * The answers of this GET are cached for each person and query, until something changes that they show. Guards run before: a hit is
 * authenticated, authorized and counted as any other answer. See docs/cache.md.
 */
export function Cached<Q extends object = object>(options: CachedOptions<Q>): MethodDecorator {
  return applyDecorators(
    SetMetadata(CACHED, options),
    UseInterceptors(CacheInterceptor),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'An `ETag` you have, several of them, or `*`: 304 if it still is one of these.',
    }),
    ApiHeader({
      name: 'Cache-Control',
      required: false,
      description:
        '`max-age=0`: read from the database. `max-age=N`: not read longer ago than N seconds. `no-store`: read from the database, and not kept. `no-cache` changes nothing, because every answer is validated.',
    }),
    ApiExtension(CACHED_ANSWER, true),
    ApiResponse({ status: 304, description: 'Not modified: what you have is what it is.' }),
  );
}
