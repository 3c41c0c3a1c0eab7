import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { REALTIME_AUDIT } from './realtime.audit.js';
import { DashboardFeedPublisher } from './dashboard-feed-publisher.js';
import { RealtimeService } from './realtime.service.js';
import { FeedAuthorizer } from './feed-authorizer.js';

@Module({
  imports: [AuthModule, SharingModule, UsersModule, AuditPlatformModule.forFeature(REALTIME_AUDIT)],
  providers: [DashboardFeedPublisher, RealtimeService, FeedAuthorizer],
  exports: [DashboardFeedPublisher, RealtimeService],
})
export class RealtimeModule {}
