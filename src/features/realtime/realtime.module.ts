import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { UsersModule } from '../users/users.module.js';
import { DashboardFeedPublisher } from './dashboard-feed-publisher.js';
import { RealtimeService } from './realtime.service.js';
import { FeedAuthorizer } from './feed-authorizer.js';

@Module({
  imports: [AuthModule, DevicesModule, UsersModule],
  providers: [DashboardFeedPublisher, RealtimeService, FeedAuthorizer],
  exports: [DashboardFeedPublisher, RealtimeService],
})
export class RealtimeModule {}
