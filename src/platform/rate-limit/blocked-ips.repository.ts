import { Injectable } from '@nestjs/common';
import { encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { Database } from '../prisma/database.js';

/** More than one process holds in memory; the longest blocked ones stay. */
const MAX_LIVE = 10_000;

/** Each new block makes room by taking old ones along, so that the table needs no other care. */
const BLOCK = `
  WITH over AS (
    DELETE FROM blocked_addresses
    WHERE address IN (SELECT address FROM blocked_addresses WHERE blocked_until < now() - interval '1 day' LIMIT 100)
      AND address <> $1
  )
  INSERT INTO blocked_addresses (address, reason, blocked_until)
  VALUES ($1, $2, now() + $3 * interval '1 millisecond')
  ON CONFLICT (address) DO UPDATE
  SET reason = excluded.reason, blocked_at = now(),
      blocked_until = greatest(blocked_addresses.blocked_until, excluded.blocked_until)`;

const LIVE = `
  SELECT address, extract(epoch FROM blocked_until - now())::float8 * 1000 AS "remainingMs"
  FROM blocked_addresses WHERE blocked_until > now()
  ORDER BY blocked_until DESC LIMIT ${String(MAX_LIVE)}`;

const PAGE = `
  SELECT address, reason, blocked_at AS "blockedAt", blocked_until AS "blockedUntil"
  FROM blocked_addresses WHERE blocked_until > now() AND address > $1
  ORDER BY address LIMIT $2`;

const LIFT = `
  DELETE FROM blocked_addresses WHERE address = $1 AND blocked_until > now()
  RETURNING address, reason, blocked_at AS "blockedAt", blocked_until AS "blockedUntil"`;

/** Names the list in its cursors. */
export const BLOCKED_IPS_LIST = 'blocked-ips';

/** An address that is refused for a while: an IPv4 address, or the /64 of an IPv6 address. */
export interface BlockedIp {
  readonly address: string;
  readonly reason: string;
  readonly blockedAt: Date;
  readonly blockedUntil: Date;
}

/** The record of blocked addresses, by the database clock. */
@Injectable()
export class BlockedIpsRepository {
  constructor(private readonly database: Database) {}

  async block(address: string, reason: string, forMs: number): Promise<void> {
    await this.database.query('blocked_addresses_block', BLOCK, [address, reason, forMs]);
  }

  /** @returns what it was blocked for; null when it was not blocked. */
  async lift(address: string): Promise<BlockedIp | null> {
    const [lifted] = await this.database.query<BlockedIp>('blocked_addresses_lift', LIFT, [address]);
    return lifted ?? null;
  }

  listLive(): Promise<{ address: string; remainingMs: number }[]> {
    return this.database.query('blocked_addresses_live', LIVE);
  }

  /** In the order of addresses; the cursor is the last one. */
  async listPage({ limit, after }: { limit: number; after: string }): Promise<Page<BlockedIp>> {
    const rows = await this.database.query<BlockedIp>('blocked_addresses_page', PAGE, [after, limit + 1]);
    return toPage(
      rows,
      limit,
      (row) => row,
      ({ address }) => encodeCursor(BLOCKED_IPS_LIST, [address]),
    );
  }
}
