import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AccountModule } from '../account/account.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { AnalyticsScopeService } from './analytics-scope.service.js';
import { ANALYTICS_AUDIT } from './analytics.audit.js';
import { ANALYTICS_RATE_LIMITS } from './analytics.rate-limits.js';
import { AnalyticsService } from './analytics.service.js';
import { CountingModule } from './counting/counting.module.js';
import { AnalyticsRepository } from './reading/analytics.repository.js';
import { CountsReader } from './reading/counts-reader.js';
import { UsageService } from './usage.service.js';
import { VisibleDevicesService } from './visible-devices.service.js';

/** What was counted, as answers to people. */
@Module({
  imports: [
    CountingModule,
    AccountModule,
    SharingModule,
    DevicesModule,
    RateLimitModule.forFeature(ANALYTICS_RATE_LIMITS),
    AuditPlatformModule.forFeature(ANALYTICS_AUDIT),
  ],
  providers: [
    AnalyticsService,
    UsageService,
    VisibleDevicesService,
    AnalyticsScopeService,
    CountsReader,
    AnalyticsRepository,
  ],
  exports: [AnalyticsService, UsageService],
})
export class AnalyticsModule {}
