import { Injectable } from '@nestjs/common';
import { encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { Database } from '../prisma/database.js';

/** The most that a process keeps in memory: those that are blocked the longest. */
const MAX_LIVE = 10_000;

// SQL: database time
const BLOCK = `
  INSERT INTO blocked_addresses (address, reason, blocked_until)
  VALUES ($1, $2, now() + $3 * interval '1 millisecond')
  ON CONFLICT (address) DO UPDATE
  SET reason = excluded.reason, blocked_at = now(),
      blocked_until = greatest(blocked_addresses.blocked_until, excluded.blocked_until)`;

// SQL: database time
const LIVE = `
  SELECT address AS ip, extract(epoch FROM blocked_until - now())::float8 * 1000 AS "remainingMs"
  FROM blocked_addresses WHERE blocked_until > now()
  ORDER BY blocked_until DESC LIMIT ${String(MAX_LIVE)}`;

// SQL: a keyset
const PAGE = `
  SELECT address AS ip, reason, blocked_at AS "blockedAt", blocked_until AS "blockedUntil"
  FROM blocked_addresses WHERE blocked_until > now() AND address > $1
  ORDER BY address LIMIT $2`;

// SQL: database time
const LIFT = `
  DELETE FROM blocked_addresses WHERE address = $1 AND blocked_until > now()
  RETURNING address AS ip, reason, blocked_at AS "blockedAt", blocked_until AS "blockedUntil"`;

// SQL: database time
const PURGE = `
  DELETE FROM blocked_addresses WHERE address IN (
    SELECT address FROM blocked_addresses WHERE blocked_until < now() - $2 * interval '1 millisecond'
    ORDER BY blocked_until LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

/** Names the list in its cursors. */
export const BLOCKED_IPS_LIST = 'blocked-ips';

/** A network address that is refused for a while. */
export interface BlockedIp {
  /** An IPv4 address, or the /64 network of an IPv6 address. */
  readonly ip: string;
  readonly reason: string;
  readonly blockedAt: Date;
  readonly blockedUntil: Date;
}

/** Blocked IPs. All times are the database's. */
@Injectable()
export class BlockedIpsRepository {
  constructor(private readonly database: Database) {}

  async block(ip: string, reason: string, forMs: number): Promise<void> {
    await this.database.query('blocked_addresses_block', BLOCK, [ip, reason, forMs]);
  }

  /** @returns null when the IP was not blocked. */
  async lift(ip: string): Promise<BlockedIp | null> {
    const [lifted] = await this.database.query<BlockedIp>('blocked_addresses_lift', LIFT, [ip]);
    return lifted ?? null;
  }

  /** Forgets blocks that are over. @returns how many of at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('blocked_addresses_purge', PURGE, [limit, keptMs])).length;
  }

  listLive(): Promise<{ ip: string; remainingMs: number }[]> {
    return this.database.query('blocked_addresses_live', LIVE);
  }

  /** Ordered by IP, from after `after` on. */
  async listPage({ limit, after }: { limit: number; after: string }): Promise<Page<BlockedIp>> {
    const rows = await this.database.query<BlockedIp>('blocked_addresses_page', PAGE, [after, limit + 1]);
    return toPage(
      rows,
      limit,
      (row) => row,
      ({ ip }) => encodeCursor(BLOCKED_IPS_LIST, [ip]),
    );
  }
}
