import type { BlockedIp } from '../../platform/rate-limit/blocked-ips.repository.js';
import type { Page } from '../../shared/paging.js';

/** An IP address whose requests are refused for a while. */
export class BlockedIpDto {
  /**
   * An IPv4 address, or the /64 network of an IPv6 address.
   * @example '2001:db8:1:2::/64'
   */
  address!: string;

  /**
   * Why it is blocked: `rate_limit:` and the limit that it exceeded.
   * @example 'rate_limit:auth'
   */
  reason!: string;

  /**
   * RFC 3339.
   * @example '2026-11-20T18:00:00.000Z'
   */
  blockedAt!: string;

  /**
   * When it is unblocked by itself. RFC 3339.
   * @example '2026-11-20T18:15:00.000Z'
   */
  blockedUntil!: string;
}

export class BlockedIpPageDto {
  items!: BlockedIpDto[];

  /**
   * Where the next page begins; null on the last one.
   * @example WyJibG9ja2VkLWlwcyIsIjIwMDE6ZGI4OjE6Mjo6LzY0Il0
   */
  nextCursor!: string | null;
}

export function toBlockedIpPageDto({ items, nextCursor }: Page<BlockedIp>): BlockedIpPageDto {
  return {
    items: items.map(({ ip, reason, blockedAt, blockedUntil }) => ({
      address: ip,
      reason,
      blockedAt: blockedAt.toISOString(),
      blockedUntil: blockedUntil.toISOString(),
    })),
    nextCursor,
  };
}
