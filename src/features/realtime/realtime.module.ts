import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { FeedAuthorizer } from './feed/feed-authorizer.js';
import { FeedPublisher } from './feed/feed-publisher.js';
import { FeedReplayService } from './feed/feed-replay.service.js';
import { FeedScopeService } from './feed/feed-scope.service.js';
import { REALTIME_AUDIT } from './realtime.audit.js';
import { DashboardPublisher } from './sockets/dashboard-publisher.js';
import { RealtimeService } from './sockets/realtime.service.js';
import { EventPageService } from './streams/event-page.service.js';
import { EventStreamPublisher } from './streams/event-stream-publisher.js';
import { EventStreamRegistry } from './streams/event-stream-registry.js';
import { EventStreamService } from './streams/event-stream.service.js';
import { EventWaiters } from './streams/event-waiters.js';

@Module({
  imports: [
    AuthModule,
    OrganizationsModule,
    SharingModule,
    UsersModule,
    AuditPlatformModule.forFeature(REALTIME_AUDIT),
  ],
  providers: [
    FeedPublisher,
    FeedAuthorizer,
    FeedReplayService,
    FeedScopeService,
    DashboardPublisher,
    RealtimeService,
    EventStreamPublisher,
    EventStreamRegistry,
    EventStreamService,
    EventWaiters,
    EventPageService,
  ],
  exports: [DashboardPublisher, RealtimeService, EventStreamService, EventPageService, EventWaiters],
})
export class RealtimeModule {}
