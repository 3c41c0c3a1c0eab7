import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CommandsModule } from '../commands/commands.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { HistoryModule } from '../history/history.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { FeedPublisher } from './feed/feed-publisher.js';
import { FeedReplayService } from './feed/feed-replay.service.js';
import { RealtimeStatsService } from './stats/realtime-stats.service.js';
import { DashboardPublisher } from './sockets/dashboard-publisher.js';
import { DashboardCommandsService } from './sockets/dashboard-commands.service.js';
import { DashboardTokensService } from './sockets/dashboard-tokens.service.js';
import { ExportProgressPublisher } from './sockets/export-progress-publisher.js';
import { HeartbeatPublisher } from './sockets/heartbeat-publisher.js';
import { RealtimeService } from './sockets/realtime.service.js';
import { EventStreamPublisher } from './streams/event-stream-publisher.js';
import { EventStreamRegistry } from './streams/event-stream-registry.js';
import { EventStreamService } from './streams/event-stream.service.js';
import { SubscriptionsService } from './sockets/subscriptions.service.js';

/** What the edges of the feature call. */
const SERVICES = [
  DashboardPublisher,
  ExportProgressPublisher,
  HeartbeatPublisher,
  RealtimeService,
  SubscriptionsService,
  DashboardCommandsService,
  DashboardTokensService,
  EventStreamPublisher,
  EventStreamRegistry,
  EventStreamService,
  RealtimeStatsService,
];

@Module({
  imports: [
    AuthModule,
    OrganizationsModule,
    SharingModule,
    UsersModule,
    DevicesModule,
    PresenceModule,
    HistoryModule,
    CommandsModule,
  ],
  providers: [FeedPublisher, FeedReplayService, ...SERVICES],
  exports: SERVICES,
})
export class RealtimeModule {}
