import type { BlockedIp } from '../../platform/rate-limit/blocked-ips.repository.js';
import type { Page } from '../../shared/paging.js';

/** An address that is refused altogether for a while. */
export class BlockedIpDto {
  /**
   * An IPv4 address, or the /64 network of an IPv6 address.
   * @example '2001:db8:1:2::/64'
   */
  address!: string;

  /**
   * What it was blocked for: `rate_limit:` and the limit that it kept running into.
   * @example 'rate_limit:auth'
   */
  reason!: string;

  /**
   * RFC 3339.
   * @example '2026-11-20T18:00:00.000Z'
   */
  blockedAt!: string;

  /**
   * When it is let in again by itself. RFC 3339.
   * @example '2026-11-20T18:15:00.000Z'
   */
  blockedUntil!: string;
}

export class BlockedIpPageDto {
  items!: BlockedIpDto[];

  /**
   * Where the next page begins; null on the last one.
   * @example 'MjAwMTpkYjg6MToyOjovNjQ'
   */
  nextCursor!: string | null;
}

export function toBlockedIpPageDto({ items, nextCursor }: Page<BlockedIp>): BlockedIpPageDto {
  return {
    items: items.map(({ address, reason, blockedAt, blockedUntil }) => ({
      address,
      reason,
      blockedAt: blockedAt.toISOString(),
      blockedUntil: blockedUntil.toISOString(),
    })),
    nextCursor,
  };
}
