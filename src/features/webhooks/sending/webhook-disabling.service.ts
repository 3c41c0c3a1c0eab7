import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { PreferencesService } from '../../account/preferences.service.js';
import { WebhooksRepository } from '../endpoints/webhooks.repository.js';
import type { WebhookDisabledReason } from '../webhooks.types.js';

/** Disables endpoints that are of no use any more, and tells those who manage them. */
@Injectable()
export class WebhookDisablingService {
  constructor(
    private readonly endpoints: WebhooksRepository,
    private readonly preferences: PreferencesService,
    private readonly mailer: Mailer,
    private readonly audit: AuditWriter,
  ) {}

  /** In the transaction of the attempt that failed. Once, however many fail at once. */
  async disable(id: string, reason: Exclude<WebhookDisabledReason, 'owner'>): Promise<void> {
    if (!(await this.endpoints.disable(id, reason))) {
      return;
    }
    await this.audit.record({ action: 'webhook_disabled', entity: { type: 'webhook', id }, after: { reason } });
    for (const { userId, email, receiver } of await this.endpoints.listManagers(id)) {
      if ((await this.preferences.get(userId)).notificationChannels.includes('email')) {
        await this.mailer.enqueue({
          to: email,
          template: 'webhook_disabled',
          values: { webhookId: id, receiver, reason },
        });
      }
    }
  }
}
