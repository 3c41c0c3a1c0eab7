import type { FastifyReply } from 'fastify';
import { quotaOf, type RateLimitPolicy } from '../../config/rate-limit.js';
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
  const seconds = (ms: number): string => String(Math.ceil(ms / 1_000));
  add(reply, 'RateLimit-Policy', `"${category}";q=${String(quotaOf(policy))};w=${seconds(policy.windowMs)}`);
  add(reply, 'RateLimit', `"${category}";r=${String(verdict.remaining)};t=${seconds(verdict.resetMs)}`);
}

function add(reply: FastifyReply, name: string, item: string): void {
  const items = reply.getHeader(name);
  void reply.header(name, typeof items === 'string' ? `${items}, ${item}` : item);
}
