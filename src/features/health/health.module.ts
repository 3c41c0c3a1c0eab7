import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PresenceModule } from '../presence/presence.module.js';
import { HealthService } from './health.service.js';
import { MetricsService } from './metrics.service.js';
import { RetentionService } from './retention.service.js';

@Module({
  imports: [PresenceModule, TerminusModule.forRoot({ logger: false })],
  providers: [HealthService, MetricsService, RetentionService],
  exports: [HealthService, MetricsService, RetentionService],
})
export class HealthModule {}
