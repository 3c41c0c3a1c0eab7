import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { CommandsModule } from '../commands/commands.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { FeedAuthorizer } from './feed/feed-authorizer.js';
import { FeedPublisher } from './feed/feed-publisher.js';
import { FeedReplayService } from './feed/feed-replay.service.js';
import { REALTIME_AUDIT } from './realtime.audit.js';
import { DashboardPublisher } from './sockets/dashboard-publisher.js';
import { DashboardCommandsService } from './sockets/dashboard-commands.service.js';
import { DashboardTokensService } from './sockets/dashboard-tokens.service.js';
import { HeartbeatPublisher } from './sockets/heartbeat-publisher.js';
import { RealtimeService } from './sockets/realtime.service.js';
import { SubscriptionsService } from './sockets/subscriptions.service.js';

@Module({
  imports: [
    AuthModule,
    OrganizationsModule,
    SharingModule,
    UsersModule,
    DevicesModule,
    CommandsModule,
    AuditPlatformModule.forFeature(REALTIME_AUDIT),
  ],
  providers: [
    FeedPublisher,
    FeedAuthorizer,
    FeedReplayService,
    DashboardPublisher,
    HeartbeatPublisher,
    RealtimeService,
    SubscriptionsService,
    DashboardCommandsService,
    DashboardTokensService,
  ],
  exports: [
    DashboardPublisher,
    HeartbeatPublisher,
    RealtimeService,
    SubscriptionsService,
    DashboardCommandsService,
    DashboardTokensService,
  ],
})
export class RealtimeModule {}
