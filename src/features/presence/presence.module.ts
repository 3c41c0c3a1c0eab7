import { Module } from '@nestjs/common';
import { EventsModule } from '../../platform/events/events.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PRESENCE_EVENTS } from './presence.events.js';
import { DeviceHooks } from './device-hooks.js';
import { DeviceStateService } from './device-state.service.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceService } from './presence.service.js';

/** Which devices are there, and what they report of themselves. */
@Module({
  imports: [DevicesModule, EventsModule.forFeature(PRESENCE_EVENTS)],
  providers: [PresenceService, PresenceRepository, HeartbeatBuffer, DeviceStateService, DeviceHooks],
  exports: [PresenceService, DeviceStateService, DeviceHooks],
})
export class PresenceModule {}
