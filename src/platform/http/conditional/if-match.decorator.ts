import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Refusal, Refuses } from '../problems/refuses.decorator.js';
import { InvalidIfMatchError } from './precondition.errors.js';

/** An entity tag and what may stand around it in a list (RFC 9110, sections 8.8.3 and 5.6.1). */
const NEXT_TAG = /[ \t,]*(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)/gy;
const LIST_END = /^[ \t,]*$/;
const OUR_TAG = /^(\d{1,9})(?:-[\w-]{1,64})?$/;

/** The versions of which `If-Match` wants one; undefined without it, or with `*`. @throws InvalidIfMatchError */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): number[] | undefined =>
  versionsIn(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** Documents a changing route that takes `If-Match`. @param changed what it throws where no version fits */
export function TakesIfMatch(changed: Refusal): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` it must still have, several of which it must have one, or `*`; 412 otherwise.',
    }),
    Refuses(InvalidIfMatchError, changed),
  );
}

/**
 * What a device reports of itself in between is no conflict: the version counts, not the digest. So it does in a tag that a
 * proxy made weak, or added to, because it compressed the answer: we give out strong tags alone, and the version in them
 * is the same (ADR 0017).
 */
export function versionsIn(header: string | undefined): number[] | undefined {
  if (header === undefined || header.trim() === '*') {
    return undefined;
  }
  return tagsIn(header).flatMap((tag) => {
    const version = OUR_TAG.exec(tag)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}

function tagsIn(header: string): string[] {
  const tags: string[] = [];
  let end = 0;
  for (const tag of header.matchAll(NEXT_TAG)) {
    tags.push(tag[1] ?? '');
    end = tag.index + tag[0].length;
  }
  if (tags.length === 0 || !LIST_END.test(header.slice(end))) {
    throw new InvalidIfMatchError();
  }
  return tags;
}
