import type { FastifyReply } from 'fastify';
import type { RateLimitPolicy } from '../../config/rate-limit.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import type { RateLimitDecision } from './sliding-window.js';

/**
 * Tells the client of a limit that was applied (draft-ietf-httpapi-ratelimit-headers): one item for each, so that it
 * can keep to all of them.
 */
export function announceLimit(
  reply: FastifyReply,
  category: RateCategory,
  policy: RateLimitPolicy,
  verdict: RateLimitDecision,
): void {
  const { limit, windowMs } = policy;
  add(reply, 'RateLimit-Policy', `"${category}";q=${String(limit)};w=${String(windowMs / 1_000)}`);
  add(
    reply,
    'RateLimit',
    `"${category}";r=${String(Math.min(limit, verdict.remaining))};t=${String(Math.ceil(verdict.resetMs / 1_000))}`,
  );
}

function add(reply: FastifyReply, name: string, item: string): void {
  const items = reply.getHeader(name);
  void reply.header(name, typeof items === 'string' ? `${items}, ${item}` : item);
}
