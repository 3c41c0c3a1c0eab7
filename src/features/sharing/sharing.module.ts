import { Module, type OnModuleInit } from '@nestjs/common';
import { ResourceResolverRegistry } from '../../platform/auth/resource-resolver-registry.js';
import { DeviceAccessRepository } from './device-access.repository.js';
import { DeviceAccessService } from './device-access.service.js';
import { permits } from './domain/device-access.js';

@Module({
  providers: [DeviceAccessService, DeviceAccessRepository],
  exports: [DeviceAccessService],
})
export class SharingModule implements OnModuleInit {
  constructor(
    private readonly resolvers: ResourceResolverRegistry,
    private readonly access: DeviceAccessService,
  ) {}

  onModuleInit(): void {
    this.resolvers.register('device', {
      resolve: (deviceId, principal) => this.access.resolve(principal.userId, deviceId),
      // Opening a door cannot be undone.
      certainFor: ['control'],
      allows: permits,
    });
  }
}
