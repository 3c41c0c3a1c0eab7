import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { PROBLEM_RESPONSE } from '../problem.dto.js';
import { InvalidIfMatchError, WeakEntityTagError } from './precondition.errors.js';

/** An entity tag and what may stand around it in a list (RFC 9110, sections 8.8.3 and 5.6.1). */
const NEXT_TAG = /[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/gy;
const LIST_END = /^[ \t,]*$/;
const OUR_TAG = /^(\d{1,9})(?:-[\w-]{1,64})?$/;

/**
 * The versions of which `If-Match` wants one; undefined without it, or with `*`. @throws InvalidIfMatchError,
 * WeakEntityTagError
 */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): number[] | undefined =>
  versionsIn(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** Documents a changing route that takes `If-Match`. */
export function TakesIfMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` it must still have, several of which it must have one, or `*`; 412 otherwise.',
    }),
    ApiResponse({ status: 412, description: 'It has changed since.', ...PROBLEM_RESPONSE }),
  );
}

/**
 * By the strong comparison (RFC 9110, section 13.1.1). What a device reports of itself in between is no conflict: the
 * version counts, not the digest.
 */
export function versionsIn(header: string | undefined): number[] | undefined {
  if (header === undefined || header.trim() === '*') {
    return undefined;
  }
  const tags = tagsIn(header);
  if (tags.every(({ weak }) => weak)) {
    throw new WeakEntityTagError();
  }
  return tags.flatMap(({ weak, text }) => {
    const version = OUR_TAG.exec(text)?.[1];
    return weak || version === undefined ? [] : [Number(version)];
  });
}

function tagsIn(header: string): { weak: boolean; text: string }[] {
  const tags: { weak: boolean; text: string }[] = [];
  let end = 0;
  for (const tag of header.matchAll(NEXT_TAG)) {
    tags.push({ weak: tag[1] !== undefined, text: tag[2] ?? '' });
    end = tag.index + tag[0].length;
  }
  if (tags.length === 0 || !LIST_END.test(header.slice(end))) {
    throw new InvalidIfMatchError();
  }
  return tags;
}
