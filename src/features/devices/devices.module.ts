import { Module, type OnModuleInit } from '@nestjs/common';
import { ResourceResolvers } from '../../platform/auth/resource-resolver-registry.js';
import { DeviceAuthenticator } from '../../platform/mqtt/device-authenticator.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { OrganizationsService } from '../organizations/organizations.service.js';
import { DeviceEditor } from './device-editor.service.js';
import { DeviceHooks } from '../presence/device-hooks.js';
import { DeviceRecorder } from './device-event-writer.js';
import { DeviceRegistration } from './device-registration.service.js';
import { DeviceStates } from '../presence/device-state.service.js';
import { DeviceTokens } from './device-token-verifier.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { permits } from './domain/device-access.js';
import { HeartbeatBuffer } from '../presence/heartbeat-buffer.js';
import { PresenceRepository } from '../presence/presence.repository.js';
import { Presence } from '../presence/presence.service.js';

@Module({
  imports: [OrganizationsModule],
  providers: [
    DevicesService,
    DevicesRepository,
    DeviceRegistration,
    DeviceEditor,
    DeviceRecorder,
    DeviceHooks,
    DeviceStates,
    Presence,
    PresenceRepository,
    HeartbeatBuffer,
    DeviceTokensRepository,
    { provide: DeviceAuthenticator, useClass: DeviceTokens },
  ],
  exports: [DevicesService, DeviceEditor, DeviceRegistration, Presence, DeviceAuthenticator],
})
export class DevicesModule implements OnModuleInit {
  constructor(
    private readonly resolvers: ResourceResolvers,
    private readonly devices: DevicesService,
    private readonly editor: DeviceEditor,
    private readonly organizations: OrganizationsService,
  ) {}

  onModuleInit(): void {
    this.resolvers.register('device', {
      resolve: (deviceId, principal) => this.devices.resolve(principal.userId, deviceId),
      allows: permits,
    });
    this.organizations.onDeparture(({ organizationId, userId }) => this.editor.withdraw(organizationId, userId));
  }
}
