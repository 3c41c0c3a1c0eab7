import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { UsersModule } from '../users/users.module.js';
import { DashboardFeed } from './dashboard-feed-publisher.js';
import { RealtimeService } from './realtime.service.js';
import { Viewers } from './feed-authorizer.js';

@Module({
  imports: [AuthModule, DevicesModule, UsersModule],
  providers: [DashboardFeed, RealtimeService, Viewers],
  exports: [DashboardFeed, RealtimeService],
})
export class RealtimeModule {}
