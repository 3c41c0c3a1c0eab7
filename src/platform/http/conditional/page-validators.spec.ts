import { describe, expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnmodified, type PageState } from './page-validators.js';

const AT = Date.parse('2026-11-20T18:00:00.700Z');
const MINUTE_MS = 60_000;

/** What a page is dated by, and whether who sends `since` has it already. */
function answer(state: Omit<PageState, 'tag'>, since?: string): { date: unknown; isKnown: boolean } {
  const headers = new Map<string, unknown>();
  const reply = {
    header: (name: string, value: unknown) => {
      headers.set(name, value);
      return reply;
    },
    status: () => reply,
  } as unknown as FastifyReply;
  const request = { headers: since === undefined ? {} : { 'if-modified-since': since } } as FastifyRequest;
  return { isKnown: isUnmodified(request, reply, { tag: 'x', ...state }), date: headers.get('Last-Modified') };
}

describe('The date of a page', () => {
  const [of, after] = ['Fri, 20 Nov 2026 18:00:00 GMT', 'Fri, 20 Nov 2026 18:00:01 GMT'];

  it('is the end of its last second once that gets no more items, and tells a client that has it', () => {
    const settled = { last: { atMs: AT, readAtMs: AT + MINUTE_MS }, hasMore: false };
    expect(answer(settled, after)).toEqual({ date: after, isKnown: true });
    expect(answer(settled, of)).toEqual({ date: after, isKnown: false });
  });

  it('tells nothing while items may come to that second, when it has no items, and when the next page may begin in it', () => {
    const last = { atMs: AT, readAtMs: AT + MINUTE_MS };
    expect(answer({ last: { ...last, readAtMs: AT + MINUTE_MS - 1 }, hasMore: false }, after)).toEqual({
      date: of,
      isKnown: false,
    });
    expect(answer({ last, hasMore: true }, after)).toEqual({ date: of, isKnown: false });
    expect(answer({ hasMore: false }, after)).toEqual({ date: undefined, isKnown: false });
  });
});
