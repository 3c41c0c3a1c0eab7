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
  /** By the clock of the database, to look from the next time. */
  readonly at: string;
}

// SQL: database time
const LIST = `SELECT i.id::text, i.tags, c.at::text FROM (SELECT clock_timestamp() AS at) c LEFT JOIN LATERAL (
    SELECT id, tags FROM cache_invalidations
    WHERE $1::timestamptz IS NULL OR written_at > $1 - $2 * interval '1 millisecond' ORDER BY written_at DESC LIMIT $3
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

  /**
   * What was written after the last look, and `overlapMs` before it, because rows show when their transaction commits. All of them
   * at the first look.
   */
  async list(after: string | null, overlapMs: number, limit: number): Promise<InvalidationsSeen> {
    const rows = await this.database.query<{ id: string | null; tags: string[]; at: string }>(
      'cache_invalidations_list',
      LIST,
      [after, overlapMs, limit],
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
