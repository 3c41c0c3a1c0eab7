import { Module } from '@nestjs/common';
import { AnalyticsRepository } from './analytics.repository.js';
import { AnalyticsService } from './analytics.service.js';
import { ROLLUPS_PURGE } from './analytics.purge.js';

@Module({
  providers: [AnalyticsRepository, AnalyticsService, ROLLUPS_PURGE],
})
export class AnalyticsModule {}
