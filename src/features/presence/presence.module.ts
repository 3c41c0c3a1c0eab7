import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { DeviceEditorService } from '../devices/device-editor.service.js';
import { DevicesModule } from '../devices/devices.module.js';
import { BirthRegistry } from './birth-registry.js';
import { DeviceCountsRepository } from './counts/device-counts.repository.js';
import { DeviceCountsService } from './counts/device-counts.service.js';
import { HeartbeatCountStore } from './counts/heartbeat-count-store.js';
import { DiagnosticsRepository } from './diagnostics/diagnostics.repository.js';
import { DiagnosticsService } from './diagnostics/diagnostics.service.js';
import { DeviceEventsService } from './events/device-events.service.js';
import { EventQuotasRepository } from './events/event-quotas.repository.js';
import { HttpLinksRepository } from './http/http-links.repository.js';
import { HttpPresenceService } from './http/http-presence.service.js';
import { InactivityRepository } from './inactivity/inactivity.repository.js';
import { MaintenanceRepository } from './maintenance/maintenance.repository.js';
import { MaintenanceService } from './maintenance/maintenance.service.js';
import { PRESENCE_AUDIT } from './presence.audit.js';
import { PRESENCE_EVENTS } from './presence.events.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { DIAGNOSTICS_PURGE } from './presence.purge.js';
import { PresenceRepository } from './presence.repository.js';
import { ReportsRepository } from './reports.repository.js';
import { PresenceService } from './presence.service.js';
import { HandoverService } from '../devices/transfers/handover.service.js';
import { LinkRevocationService } from './revocation/link-revocation.service.js';
import { TokenEndsService } from './revocation/token-ends.service.js';

/** Which devices are connected, and what they report of their state. */
@Module({
  imports: [DevicesModule, AuditPlatformModule.forFeature(PRESENCE_AUDIT), EventsModule.forFeature(PRESENCE_EVENTS)],
  providers: [
    PresenceService,
    DeviceCountsService,
    DeviceCountsRepository,
    HeartbeatCountStore,
    LinkRevocationService,
    TokenEndsService,
    DeviceEventsService,
    PresenceRepository,
    ReportsRepository,
    EventQuotasRepository,
    InactivityRepository,
    MaintenanceService,
    MaintenanceRepository,
    HttpPresenceService,
    HttpLinksRepository,
    HeartbeatBuffer,
    BirthRegistry,
    DiagnosticsService,
    DiagnosticsRepository,
    DIAGNOSTICS_PURGE,
  ],
  exports: [
    PresenceService,
    DeviceCountsService,
    PresenceRepository,
    InactivityRepository,
    HttpPresenceService,
    DeviceEventsService,
    DiagnosticsService,
    TokenEndsService,
  ],
})
export class PresenceModule implements OnModuleInit {
  constructor(
    private readonly handover: HandoverService,
    private readonly links: LinkRevocationService,
    private readonly editor: DeviceEditorService,
    private readonly maintenance: MaintenanceService,
  ) {}

  onModuleInit(): void {
    this.editor.onMaintenance((deviceId, isOn) => this.maintenance.set(deviceId, isOn));
    this.handover.onHandover(({ deviceId }) => this.maintenance.set(deviceId, false));
    this.handover.onDisconnect((deviceId) => this.links.closeAll(deviceId));
  }
}
