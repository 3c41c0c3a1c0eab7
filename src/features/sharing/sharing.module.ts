import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { ResourceResolverRegistry } from '../../platform/auth/resource-resolver-registry.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessCheckService } from './access/access-check.service.js';
import { DeviceAccessRepository } from './access/device-access.repository.js';
import { DeviceAccessService } from './access/device-access.service.js';
import { DeviceScopeRepository } from './access/device-scope.repository.js';
import { DeviceScopeService } from './access/device-scope.service.js';
import { permits } from './domain/device-access.js';
import { HeldSharesService } from './shares/held-shares.service.js';
import { ShareEventWriter } from './shares/share-event-writer.js';
import { ShareInvitationsRepository } from './shares/share-invitations.repository.js';
import { ShareMailer } from './shares/share-mailer.js';
import { SharePreviewService } from './shares/share-preview.service.js';
import { SharesRepository } from './shares/shares.repository.js';
import { SharesService } from './shares/shares.service.js';
import { SHARES_ADOPTION } from './sharing.adoption.js';
import { SHARING_AUDIT } from './sharing.audit.js';
import { SHARING_EVENTS } from './sharing.events.js';
import { SHARING_MAIL } from './sharing.mail.js';
import { SHARES_PURGE } from './sharing.purge.js';

@Module({
  imports: [
    AuthModule,
    UsersModule,
    AuditPlatformModule.forFeature(SHARING_AUDIT),
    EventsModule.forFeature(SHARING_EVENTS),
    MailModule.forFeature(SHARING_MAIL),
  ],
  providers: [
    DeviceAccessService,
    DeviceAccessRepository,
    DeviceScopeService,
    DeviceScopeRepository,
    AccessCheckService,
    SharesService,
    SharesRepository,
    HeldSharesService,
    ShareInvitationsRepository,
    SharePreviewService,
    ShareEventWriter,
    ShareMailer,
    SHARES_PURGE,
    SHARES_ADOPTION,
  ],
  exports: [
    DeviceAccessService,
    DeviceScopeService,
    AccessCheckService,
    SharesService,
    HeldSharesService,
    SharePreviewService,
    ShareInvitationsRepository,
  ],
})
export class SharingModule implements OnModuleInit {
  constructor(
    private readonly resolvers: ResourceResolverRegistry,
    private readonly access: DeviceAccessService,
  ) {}

  onModuleInit(): void {
    this.resolvers.register('device', {
      resolve: (deviceId, principal) => this.access.resolve(principal.userId, deviceId),
      allows: permits,
    });
  }
}
