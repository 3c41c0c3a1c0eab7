import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import type { NamedStatement } from '../prisma/transaction-context.js';

/** Tags of a change. */
export interface CacheInvalidation {
  readonly id: string;
  readonly tags: readonly string[];
}

/** What one look at the table found. */
export interface InvalidationsSeen {
  readonly found: readonly CacheInvalidation[];
  /** What could be seen then: a snapshot of the database. */
  readonly at: string;
}

/**
 * A row counts from when its transaction commits, however long ago it was written. So the next look takes what this one could not
 * see, and nothing twice. Rows of a restored database may bear ids that this one has not reached: those were never unseen here.
 */
// SQL: something Prisma cannot say: snapshots
const LIST = `SELECT i.id::text, i.tags, s.at::text FROM (SELECT pg_current_snapshot() AS at) s LEFT JOIN LATERAL (
    SELECT id, tags FROM cache_invalidations
    WHERE xid >= coalesce(pg_snapshot_xmin($1::pg_snapshot), '0'::xid8) AND xid < pg_snapshot_xmax(s.at)
      AND coalesce(pg_visible_in_snapshot(xid, $1::pg_snapshot), false) = false
    ORDER BY xid DESC LIMIT $2
  ) i ON true`;

// SQL: a set-based batch
const PURGE = `DELETE FROM cache_invalidations WHERE id IN (
    SELECT id FROM cache_invalidations WHERE written_at < now() - $2 * interval '1 millisecond'
    ORDER BY written_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** Changes that Redis was not told of. */
@Injectable()
export class CacheInvalidationsRepository {
  constructor(private readonly database: Database) {}

  /** To be sent with the COMMIT of the change. */
  insertion(tags: readonly string[]): NamedStatement {
    return {
      name: 'cache_invalidations_insert',
      // SQL: one round trip on a hot path: it leaves with COMMIT
      text: 'INSERT INTO cache_invalidations (tags) VALUES ($1::text[])',
      values: [[...tags]],
    };
  }

  /** What was committed since another look; everything where there was none. */
  async list(since: string | null, limit: number): Promise<InvalidationsSeen> {
    const rows = await this.database.query<{ id: string | null; tags: string[]; at: string }>(
      'cache_invalidations_list',
      LIST,
      [since, limit],
    );
    return {
      at: rows[0]?.at ?? '',
      found: rows.flatMap(({ id, tags }) => (id === null ? [] : [{ id, tags }])),
    };
  }

  /** @returns how many rows were deleted */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('cache_invalidations_purge', PURGE, [limit, keptMs])).length;
  }
}
