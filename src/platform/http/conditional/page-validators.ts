import { applyDecorators, HttpStatus } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describeHeader } from '../described-header.js';
import { matches } from './version-tag.interceptor.js';

/** Later than this, nothing comes to a second that is over: transactions end before. */
const SETTLED_AFTER_MS = 60_000;
const SECOND_MS = 1_000;

/** What tells one state of a page from another. */
export interface PageState {
  /** Without quotes. */
  readonly tag: string;
  /** When its last item was made, and when the page was read, by one clock, in milliseconds since 1970; undefined without items. */
  readonly last?: { readonly atMs: number; readonly readAtMs: number };
  /** There are items behind it, which another page has. */
  readonly hasMore: boolean;
}

/** What {@link isUnmodified} says of a page. */
export const PAGE_HEADERS = {
  ETag: describeHeader('What the page is known by.', '"0ZyqQ3eNYb9TzLJc"'),
  'Last-Modified': describeHeader(
    'When its last item was made; absent without items.',
    'Fri, 20 Nov 2026 18:00:01 GMT',
  ),
};

/** A GET that {@link isUnmodified} answers with 304 where the client has the page already. */
export const PolledPage = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'The `ETag` of the last answer: 304 while there is nothing new.',
    }),
    ApiHeader({
      name: 'If-Modified-Since',
      required: false,
      description:
        'The `Last-Modified` of the last answer, for clients without `If-None-Match`, which counts in its place.',
    }),
    ApiResponse({ status: 304, description: 'Nothing new.' }),
  );

/**
 * Serves `ETag` and `Last-Modified`, and says whether the client has this already; then the status is 304. Dates have whole
 * seconds: a page whose last second may still get items, or goes on in the next page, is not told by its date.
 */
export function isUnmodified({ headers }: FastifyRequest, reply: FastifyReply, state: PageState): boolean {
  const etag = `"${state.tag}"`;
  void reply.header('ETag', etag).header('Cache-Control', 'private, no-cache');
  const { dateMs, isSettled } = dateOf(state);
  if (dateMs !== undefined) {
    void reply.header('Last-Modified', new Date(dateMs).toUTCString());
  }
  const { 'if-none-match': tags, 'if-modified-since': since = '' } = headers;
  const isKnown = tags === undefined ? isSettled && Date.parse(since) >= dateMs : matches(tags, etag);
  if (isKnown) {
    void reply.status(HttpStatus.NOT_MODIFIED);
  }
  return isKnown;
}

type PageDate =
  | { readonly isSettled: true; readonly dateMs: number }
  | { readonly isSettled: false; readonly dateMs: number | undefined };

/**
 * A settled page is dated by the end of its last second: who got it earlier, and maybe not all of it, reads it again. No item of
 * a later page is of that second or before.
 */
function dateOf({ last, hasMore }: PageState): PageDate {
  if (last === undefined) {
    return { isSettled: false, dateMs: undefined };
  }
  const second = Math.floor(last.atMs / SECOND_MS) * SECOND_MS;
  return !hasMore && last.readAtMs - last.atMs >= SETTLED_AFTER_MS
    ? { isSettled: true, dateMs: second + SECOND_MS }
    : { isSettled: false, dateMs: second };
}
