import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ExtraTime } from '../admission/extra-time.decorator.js';
import { Refuses } from '../problems/refuses.decorator.js';
import { addRouteConfig } from '../route-config.js';
import { RangeNotSatisfiableError } from './range.errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    sendsFile?: boolean;
  }
}

/** It is sent as fast as its client takes it; one that is cut off resumes. */
const SENT_WITHIN_MS = 600_000;

/** This route answers with a file (`answerFile`): with its own bytes, which are not compressed. */
export function SendsFile(mediaTypes: readonly string[]): MethodDecorator {
  const content = Object.fromEntries(
    mediaTypes.map((type) => [type.replace(/;.*/, ''), { schema: { type: 'string' as const } }]),
  );
  const headers = {
    'Accept-Ranges': { description: '`bytes`.', schema: { type: 'string' as const } },
    ETag: { description: 'For `If-Range`.', schema: { type: 'string' as const } },
    'Repr-Digest': { description: 'SHA-256 of the file (RFC 9530).', schema: { type: 'string' as const } },
  };
  const range = { description: 'Which bytes.', schema: { type: 'string' as const } };
  return applyDecorators(
    addRouteConfig({ sendsFile: true }),
    ExtraTime(SENT_WITHIN_MS),
    ApiHeader({ name: 'Range', required: false, schema: { type: 'string', example: 'bytes=65536-' } }),
    ApiHeader({
      name: 'If-Range',
      required: false,
      schema: { type: 'string' },
      description: 'The `ETag` of the first part.',
    }),
    ApiResponse({ status: 200, description: 'The file.', content, headers }),
    ApiResponse({
      status: 206,
      description: 'A part of it.',
      content,
      headers: { ...headers, 'Content-Range': range },
    }),
    Refuses(RangeNotSatisfiableError),
  );
}
