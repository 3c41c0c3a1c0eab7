import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { DeviceHooks } from './device-hooks.js';
import { DeviceStateService } from './device-state.service.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceService } from './presence.service.js';

/** Which devices are there, and what they report of themselves. */
@Module({
  imports: [DevicesModule],
  providers: [PresenceService, PresenceRepository, HeartbeatBuffer, DeviceStateService, DeviceHooks],
  exports: [PresenceService, DeviceStateService, DeviceHooks],
})
export class PresenceModule {}
