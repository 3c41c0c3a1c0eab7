import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { OutboundModule } from '../../platform/outbound/outbound.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { AccountModule } from '../account/account.module.js';
import { HistoryModule } from '../history/history.module.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { FailedWebhooksRepository } from './deliveries/failed-webhooks.repository.js';
import { FailedWebhooksService } from './deliveries/failed-webhooks.service.js';
import { WebhookDeliveriesRepository } from './deliveries/webhook-deliveries.repository.js';
import { WebhookDeliveriesService } from './deliveries/webhook-deliveries.service.js';
import { WebhookAuthorityService } from './endpoints/webhook-authority.service.js';
import { WebhookSecretsService } from './endpoints/webhook-secrets.service.js';
import { WebhooksRepository } from './endpoints/webhooks.repository.js';
import { WebhooksService } from './endpoints/webhooks.service.js';
import { WebhookAttemptsRepository } from './sending/webhook-attempts.repository.js';
import { WebhookAudienceRepository } from './sending/webhook-audience.repository.js';
import { WebhookDisablingService } from './sending/webhook-disabling.service.js';
import { WebhookEventReaderService } from './sending/webhook-event-reader.service.js';
import { WebhookOutboxRepository } from './sending/webhook-outbox.repository.js';
import { WebhookViewService } from './sending/webhook-view.service.js';
import { WEBHOOKS_AUDIT } from './webhooks.audit.js';
import { WEBHOOKS_MAIL } from './webhooks.mail.js';
import { WEBHOOKS_PURGE } from './webhooks.purge.js';
import { WEBHOOKS_RATE_LIMITS } from './webhooks.rate-limits.js';

/** What the edges of the feature call, in one role or another. */
const PROVIDERS = [
  WebhooksService,
  WebhooksRepository,
  WebhookAuthorityService,
  WebhookSecretsService,
  WebhookDeliveriesService,
  WebhookDeliveriesRepository,
  WebhookAudienceRepository,
  WebhookOutboxRepository,
  WebhookAttemptsRepository,
  WebhookViewService,
  WebhookDisablingService,
];

/** Events, posted to the programs of people and organizations. */
@Module({
  imports: [
    AccountModule,
    OrganizationsModule,
    SharingModule,
    HistoryModule,
    OutboundModule,
    AuditPlatformModule.forFeature(WEBHOOKS_AUDIT),
    MailModule.forFeature(WEBHOOKS_MAIL),
    RateLimitModule.forFeature(WEBHOOKS_RATE_LIMITS),
  ],
  providers: [...PROVIDERS, WebhookEventReaderService, FailedWebhooksRepository, FailedWebhooksService, WEBHOOKS_PURGE],
  exports: PROVIDERS,
})
export class WebhooksModule {}
