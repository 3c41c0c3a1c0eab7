import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { DeviceAuthenticator } from '../../platform/mqtt/device-authenticator.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { MembershipsService } from '../organizations/memberships.service.js';
import { AccountRemovalService } from '../users/removal/account-removal.service.js';
import { SharesService } from '../sharing/shares/shares.service.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { DEVICES_EVENTS } from './devices.events.js';
import { DEVICES_AUDIT } from './devices.audit.js';
import { DeviceChangeService } from './device-change.service.js';
import { DeviceEditorService } from './device-editor.service.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DeviceRegistrationService } from './device-registration.service.js';
import { ActivationCodesService } from './credentials/activation-codes.service.js';
import { ActivationService } from './credentials/activation.service.js';
import { ActivationProofVerifier } from './credentials/activation-proof-verifier.js';
import { ActivationsRepository } from './credentials/activations.repository.js';
import { DeviceTokensService } from './credentials/device-tokens.service.js';
import { DeviceTokenVerifier } from './credentials/device-token-verifier.js';
import { DeviceTokensRepository } from './credentials/device-tokens.repository.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { DEVICES_MAIL } from './devices.mail.js';
import { ClaimsService } from './provisioning/claims.service.js';
import { IntendedOwnersService } from './provisioning/intended-owners.service.js';
import { InventoryService } from './provisioning/inventory.service.js';
import { ProvisioningRepository } from './provisioning/provisioning.repository.js';
import { ProvisioningService } from './provisioning/provisioning.service.js';
import { HandoverService } from './transfers/handover.service.js';
import { OwnershipService } from './transfers/ownership.service.js';
import { TransferAnswersService } from './transfers/transfer-answers.service.js';
import { TransferMailer } from './transfers/transfer-mailer.js';
import { TransfersRepository } from './transfers/transfers.repository.js';
import { TransfersService } from './transfers/transfers.service.js';
import { ACTIVATIONS_PURGE, CREDENTIALS_PURGE, TRANSFERS_PURGE } from './devices.purge.js';
import { ACTIVATIONS_ADOPTION, TRANSFERS_ADOPTION } from './devices.adoption.js';
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
    MailModule.forFeature(DEVICES_MAIL),
  ],
  providers: [
    DevicesService,
    DevicesRepository,
    DeviceListService,
    DeviceListRepository,
    DeviceRegistrationService,
    DeviceChangeService,
    DeviceEditorService,
    DeviceEventWriter,
    DeviceTokensRepository,
    DeviceTokensService,
    ActivationCodesService,
    ActivationService,
    ActivationProofVerifier,
    ActivationsRepository,
    ProvisioningService,
    ProvisioningRepository,
    IntendedOwnersService,
    InventoryService,
    ClaimsService,
    HandoverService,
    OwnershipService,
    TransfersService,
    TransferAnswersService,
    TransferMailer,
    TransfersRepository,
    CREDENTIALS_PURGE,
    ACTIVATIONS_PURGE,
    TRANSFERS_PURGE,
    TRANSFERS_ADOPTION,
    ACTIVATIONS_ADOPTION,
    { provide: DeviceAuthenticator, useClass: DeviceTokenVerifier },
  ],
  exports: [
    DevicesService,
    DeviceListService,
    DeviceChangeService,
    DeviceEditorService,
    DeviceRegistrationService,
    DeviceTokensService,
    ActivationCodesService,
    ActivationService,
    ProvisioningService,
    InventoryService,
    ClaimsService,
    TransfersService,
    TransferAnswersService,
    DeviceAuthenticator,
    HandoverService,
  ],
})
export class DevicesModule implements OnModuleInit {
  constructor(
    private readonly devices: DevicesService,
    private readonly editor: DeviceEditorService,
    private readonly memberships: MembershipsService,
    private readonly removal: AccountRemovalService,
    private readonly handover: HandoverService,
    private readonly shares: SharesService,
  ) {}

  onModuleInit(): void {
    this.removal.onRemoval({
      reason: 'shared_devices',
      isNeeded: (userId) => this.devices.hasShared(userId),
      remove: (userId) => this.devices.deleteAllOf(userId),
    });
    this.handover.onHandover(({ deviceId, ownerId }) => this.shares.endAll(deviceId, ownerId, 'handover'));
    this.memberships.onDeparture(({ organizationId, userId }) => this.editor.withdraw(organizationId, userId));
  }
}
