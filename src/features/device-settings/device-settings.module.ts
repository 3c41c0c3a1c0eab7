import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { HandoverService } from '../devices/transfers/handover.service.js';
import { HistoryModule } from '../history/history.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { DEVICE_SETTINGS_AUDIT } from './device-settings.audit.js';
import { DEVICE_SETTINGS_EVENTS } from './device-settings.events.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';
import { DeviceSettingsService } from './device-settings.service.js';

/** What devices are set to. Its publisher is an edge of the hardware role. */
@Module({
  imports: [
    DevicesModule,
    PresenceModule,
    HistoryModule,
    AuditPlatformModule.forFeature(DEVICE_SETTINGS_AUDIT),
    EventsModule.forFeature(DEVICE_SETTINGS_EVENTS),
  ],
  providers: [DeviceSettingsService, DeviceSettingsRepository],
  exports: [DeviceSettingsService, DeviceSettingsRepository],
})
export class DeviceSettingsModule implements OnModuleInit {
  constructor(
    private readonly handover: HandoverService,
    private readonly settings: DeviceSettingsService,
  ) {}

  onModuleInit(): void {
    this.handover.onHandover(({ deviceId }) => this.settings.clear(deviceId));
    this.handover.onDisconnect((deviceId) => this.settings.revoked(deviceId));
  }
}
