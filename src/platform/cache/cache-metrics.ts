import { Injectable } from '@nestjs/common';
import { CACHE_CATEGORIES, type CacheCategory } from '../../config/cache.js';
import { type Counter, Metrics } from '../metrics/metrics.js';

/** `stale`: an entry that a change had ended. `bypass`: the client wanted it from the database. `error`: Redis did not answer. */
export const CACHE_OUTCOMES = ['hit', 'miss', 'stale', 'bypass', 'error'] as const;
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

/** Requests of one category by their outcome. */
export type CacheCounts = Readonly<Record<CacheOutcome, number>>;

/** Counts how requests of cached routes were answered. */
@Injectable()
export class CacheMetrics {
  readonly #requests: Counter<'category' | 'route' | 'outcome'>;
  readonly #counts = Object.fromEntries(
    CACHE_CATEGORIES.map((category) => [category, Object.fromEntries(CACHE_OUTCOMES.map((name) => [name, 0]))]),
  ) as Record<CacheCategory, Record<CacheOutcome, number>>;

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter(
      'mortise_cache_requests_total',
      'Requests of cached routes: hit, miss, stale (a change had ended the entry), bypass (the client wanted it from the database) or error (Redis did not answer)',
      ['category', 'route', 'outcome'],
    );
  }

  count(category: CacheCategory, route: string, outcome: CacheOutcome): void {
    this.#requests.inc({ category, route, outcome });
    this.#counts[category][outcome]++;
  }

  /** Since this process started. */
  counts(): Readonly<Record<CacheCategory, CacheCounts>> {
    return this.#counts;
  }
}
