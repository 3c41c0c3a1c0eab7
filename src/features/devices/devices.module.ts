import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { DeviceAuthenticator } from '../../platform/mqtt/device-authenticator.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { MembershipsService } from '../organizations/memberships.service.js';
import { AccountRemovalService } from '../users/removal/account-removal.service.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { DEVICES_EVENTS } from './devices.events.js';
import { DEVICES_AUDIT } from './devices.audit.js';
import { DeviceEditorService } from './device-editor.service.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceRegistrationService } from './device-registration.service.js';
import { DeviceTokenVerifier } from './device-token-verifier.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { CREDENTIALS_PURGE } from './devices.purge.js';
import { DEVICES_RATE_LIMITS } from './devices.rate-limits.js';
import { DeviceListRepository } from './list/device-list.repository.js';
import { DeviceListService } from './list/device-list.service.js';

@Module({
  imports: [
    UsersModule,
    OrganizationsModule,
    SharingModule,
    RateLimitModule.forFeature(DEVICES_RATE_LIMITS),
    AuditPlatformModule.forFeature(DEVICES_AUDIT),
    EventsModule.forFeature(DEVICES_EVENTS),
  ],
  providers: [
    DevicesService,
    DevicesRepository,
    DeviceListService,
    DeviceListRepository,
    DeviceRegistrationService,
    DeviceEditorService,
    DeviceEventWriter,
    DeviceTokensRepository,
    CREDENTIALS_PURGE,
    { provide: DeviceAuthenticator, useClass: DeviceTokenVerifier },
  ],
  exports: [DevicesService, DeviceListService, DeviceEditorService, DeviceRegistrationService, DeviceAuthenticator],
})
export class DevicesModule implements OnModuleInit {
  constructor(
    private readonly devices: DevicesService,
    private readonly editor: DeviceEditorService,
    private readonly memberships: MembershipsService,
    private readonly removal: AccountRemovalService,
  ) {}

  onModuleInit(): void {
    this.removal.onRemoval({
      reason: 'shared_devices',
      isNeeded: (userId) => this.devices.hasShared(userId),
      remove: (userId) => this.devices.deleteAllOf(userId),
    });
    this.memberships.onDeparture(({ organizationId, userId }) => this.editor.withdraw(organizationId, userId));
  }
}
