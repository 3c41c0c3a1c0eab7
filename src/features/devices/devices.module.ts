import { Module, type OnModuleInit } from '@nestjs/common';
import { ResourceResolvers } from '../../platform/auth/resource-resolvers.js';
import { DeviceAuthenticator } from '../../platform/mqtt/device-authenticator.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { OrganizationsService } from '../organizations/organizations.service.js';
import { DeviceEditor } from './device-editor.js';
import { DeviceHooks } from './device-hooks.js';
import { DeviceRecorder } from './device-recorder.js';
import { DeviceRegistration } from './device-registration.js';
import { DeviceStates } from './device-states.js';
import { DeviceTokens } from './device-tokens.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { permits } from './domain/device-access.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { PresenceRepository } from './presence.repository.js';
import { Presence } from './presence.service.js';

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
