import { Global, Module } from '@nestjs/common';
import { purgeRule } from '../scheduling/purge-registry.js';
import { CacheInvalidationService } from './cache-invalidation.service.js';
import { CacheInvalidationsRepository } from './cache-invalidations.repository.js';
import { CacheKeyFactory } from './cache-key-factory.js';
import { CacheMetrics } from './cache-metrics.js';
import { CacheReader } from './cache-reader.js';
import { CacheStore } from './cache-store.js';

/** Changes that Redis was not told of, for longer than any entry lives: a process that starts must hear of all that may have one. */
const CACHE_INVALIDATIONS_PURGE = purgeRule({
  name: 'purge_cache_invalidations',
  tables: ['cache_invalidations'],
  keptFor: 25 * 3_600_000,
  from: [CacheInvalidationsRepository],
  purge: ({ limit, keptMs }, invalidations) => invalidations.purge(limit, keptMs),
});

/** Cached answers. Every process tells of its changes; those that answer requests look for changes that Redis was not told of. */
@Global()
@Module({
  providers: [
    CacheStore,
    CacheInvalidationsRepository,
    CacheInvalidationService,
    CacheKeyFactory,
    CacheReader,
    CacheMetrics,
    CACHE_INVALIDATIONS_PURGE,
  ],
  exports: [CacheStore, CacheInvalidationsRepository, CacheReader, CacheMetrics],
})
export class CacheModule {}
