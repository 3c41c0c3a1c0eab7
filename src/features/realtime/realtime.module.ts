import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { FeedAuthorizer } from './feed/feed-authorizer.js';
import { FeedPublisher } from './feed/feed-publisher.js';
import { FeedReplayService } from './feed/feed-replay.service.js';
import { REALTIME_AUDIT } from './realtime.audit.js';
import { DashboardPublisher } from './sockets/dashboard-publisher.js';
import { RealtimeService } from './sockets/realtime.service.js';

@Module({
  imports: [
    AuthModule,
    OrganizationsModule,
    SharingModule,
    UsersModule,
    AuditPlatformModule.forFeature(REALTIME_AUDIT),
  ],
  providers: [FeedPublisher, FeedAuthorizer, FeedReplayService, DashboardPublisher, RealtimeService],
  exports: [DashboardPublisher, RealtimeService],
})
export class RealtimeModule {}
