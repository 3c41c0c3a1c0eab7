import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceService } from './presence.service.js';

/** Which devices are connected, and what they report of their state. */
@Module({
  imports: [DevicesModule],
  providers: [PresenceService, PresenceRepository, HeartbeatBuffer],
  exports: [PresenceService],
})
export class PresenceModule {}
