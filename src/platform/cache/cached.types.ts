import type { Type } from '@nestjs/common';
import type { CacheCategory } from '../../config/cache.js';
import type { AuditRecord } from '../audit/audit-writer.js';

export const CACHED = Symbol('cached');

/** What an answer rests on beyond what is known of its reader. */
export interface CacheScope {
  readonly tags: readonly string[];
  /** When it changes by itself, in milliseconds from now; null: never. */
  readonly changesInMs: number | null;
}

/** Finds the scope of an answer. It is asked before the answer is loaded. */
export interface CacheScopeReader {
  readScope(userId: string): Promise<CacheScope>;
}

/** @template Q the query as the route validates it */
export interface CachedOptions<Q extends object = object> {
  readonly category: CacheCategory;
  /** The tags that are known from the reader alone. A change of the scope must change one of them. */
  readonly tags: (userId: string) => readonly string[];
  readonly scope?: Type<CacheScopeReader>;
  /** Whether the answer to this query shows or depends on readings, which change no tag: it is then cached for 30 s at most. */
  readonly hasReadings?: (query: Q) => boolean;
  /** The answer is a resource with a version: its ETag is one that `If-Match` takes. */
  readonly isVersioned?: boolean;
  /** On an audited route: what a hit is recorded as, like the handler does. */
  readonly recordHit?: (query: Q) => AuditRecord;
}
