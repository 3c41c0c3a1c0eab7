import { Module } from '@nestjs/common';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AnalyticsRepository } from './analytics.repository.js';
import { AnalyticsService } from './analytics.service.js';
import { ROLLUPS_PURGE } from './analytics.purge.js';
import { ANALYTICS_RATE_LIMITS } from './analytics.rate-limits.js';

@Module({
  imports: [RateLimitModule.forFeature(ANALYTICS_RATE_LIMITS)],
  providers: [AnalyticsRepository, AnalyticsService, ROLLUPS_PURGE],
})
export class AnalyticsModule {}
