import { ApiProperty } from '@nestjs/swagger';
import { CACHE_CATEGORIES, type CacheCategory } from '../../config/cache.js';
import type { CacheCounts } from '../../platform/cache/cache-metrics.js';

/** The requests of one category of cached answers. */
export class CacheFiguresDto {
  /** @example devices */
  @ApiProperty({ enum: CACHE_CATEGORIES })
  category!: CacheCategory;

  /**
   * The longest that one of its answers is kept, in seconds; 0: none is.
   * @example 1800
   */
  ttlSeconds!: number;

  /**
   * Answered from the cache.
   * @example 940
   */
  hit!: number;

  /**
   * Answered from the database, because nothing was cached.
   * @example 50
   */
  miss!: number;

  /**
   * Answered from the database, because a change had ended what was cached.
   * @example 8
   */
  stale!: number;

  /**
   * Answered from the database, because the client or the configuration wants it so.
   * @example 2
   */
  bypass!: number;

  /**
   * Answered from the database, because Redis did not answer, or could not be believed.
   * @example 0
   */
  error!: number;

  /**
   * Hits among all of them, from 0 to 1; null while there were none.
   * @example 0.94
   */
  hitRatio!: number | null;
}

/** How the cache does, as the process sees it that answers. */
export class CacheReportDto {
  /** `up`, or `down` while everything is answered from the database. */
  @ApiProperty({ enum: ['up', 'down'], example: 'up' })
  redis!: 'up' | 'down';

  /**
   * For how many seconds it may still answer from the cache without another look at the changes that Redis was not told of: 0 to 3.
   * @example 2.4
   */
  trustedForSeconds!: number;

  /** By category, since the process started. */
  @ApiProperty({ type: [CacheFiguresDto] })
  categories!: CacheFiguresDto[];
}

export function toCacheFiguresDto(
  category: CacheCategory,
  counts: CacheCounts,
  ttlMs: number,
): Readonly<CacheFiguresDto> {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    category,
    ttlSeconds: ttlMs / 1_000,
    ...counts,
    hitRatio: all === 0 ? null : Math.round((counts.hit / all) * 10_000) / 10_000,
  };
}
