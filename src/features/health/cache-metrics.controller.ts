import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AppConfig } from '../../config/app-config.js';
import { CACHE_CATEGORIES } from '../../config/cache.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { CacheMetrics } from '../../platform/cache/cache-metrics.js';
import { CacheStore } from '../../platform/cache/cache-store.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { CacheReportDto, toCacheFiguresDto } from './cache-figures.dto.js';

@ApiTags('Operations')
@Controller('metrics')
export class CacheMetricsController {
  constructor(
    private readonly metrics: CacheMetrics,
    private readonly store: CacheStore,
    private readonly config: AppConfig,
  ) {}

  /** How the cache does: the figures that `/metrics` has for Prometheus, of the process that answers. */
  @Get('cache')
  @Authorize('admin')
  @RateLimit('admin')
  report(): CacheReportDto {
    const counts = this.metrics.counts();
    return {
      redis: this.store.isConnected ? 'up' : 'down',
      trustedForSeconds: Math.max(0, Math.round(this.store.trustedForMs / 100) / 10),
      categories: CACHE_CATEGORIES.map((category) =>
        toCacheFiguresDto(category, counts[category], this.config.cacheTtlMs[category]),
      ),
    };
  }
}
