import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { SmsClient, type SmsOutcome } from '../../../platform/sms/sms-client.js';
import { segmentsOf, smsText } from '../domain/sms-text.js';
import { SmsBudgetService } from './sms-budget.service.js';
import { PhoneNumbersService } from './phone-numbers.service.js';
import { PhoneService } from './phone.service.js';
import { PhonesRepository } from './phones.repository.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { type ChannelMessage, NotificationTransport, type SendOutcome } from '../channels/notification-transport.js';

const UNSENT = { sent: false, isPermanent: true, retryAfterMs: null } as const;

/** Text messages to numbers that their people have confirmed, within the budget. */
@Injectable()
export class SmsTransport extends NotificationTransport implements OnModuleInit {
  readonly name = 'sms';

  constructor(
    private readonly registry: NotificationChannelRegistry,
    private readonly phones: PhonesRepository,
    private readonly targets: PhoneService,
    private readonly numbers: PhoneNumbersService,
    private readonly budget: SmsBudgetService,
    private readonly client: SmsClient,
    private readonly config: AppConfig,
  ) {
    super();
  }

  onModuleInit(): void {
    if (this.config.sms.isSetUp) {
      this.registry.register(this);
    }
  }

  reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.phones.reachable(userIds);
  }

  async send({ id, userId, title, text, url, isUrgent }: ChannelMessage): Promise<SendOutcome> {
    const phone = await this.phones.find(userId);
    if (phone?.stoppedAt !== null) {
      return { ...UNSENT, reason: 'no_number', hasNoAddress: true };
    }
    const number = this.numbers.open(phone.sealed, 'notification_phones', userId);
    const words = smsText(title, text, url);
    const purpose = isUrgent ? 'urgent' : 'other';
    const { isAdmitted } = await this.budget.reserve({ id, userId, segments: segmentsOf(words), purpose });
    if (!isAdmitted) {
      return { ...UNSENT, reason: 'over_budget', isOverBudget: true };
    }
    const outcome = await this.client.send(number, words, id);
    if (!outcome.sent) {
      await this.heed(id, number, outcome);
    }
    return outcome;
  }

  private async heed(id: string, number: string, outcome: Extract<SmsOutcome, { sent: false }>): Promise<void> {
    if (outcome.isTargetGone) {
      await this.targets.stop(number, id, outcome.reason);
    }
    if (outcome.isRefused) {
      await this.budget.giveBack(id);
    }
  }
}
