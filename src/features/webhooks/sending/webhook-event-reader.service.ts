import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { DurableReaderRegistry } from '../../../platform/events/durable-reader-registry.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import { NO_DEVICE } from '../webhooks.types.js';
import { type AudienceMember, WebhookAudienceRepository } from './webhook-audience.repository.js';
import { type NewDelivery, WebhookOutboxRepository } from './webhook-outbox.repository.js';

const BATCH = 200;

interface ToldEvent {
  readonly endpointId: string;
  readonly event: StoredEvent;
}

/**
 * Makes deliveries of events, for the endpoints whose owner may see them when they are read. A durable reader of the log, so that
 * each event becomes one delivery of each endpoint.
 */
@Injectable()
export class WebhookEventReaderService implements OnModuleInit {
  constructor(
    private readonly readers: DurableReaderRegistry,
    private readonly audience: WebhookAudienceRepository,
    private readonly access: FeedAccessService,
    private readonly outbox: WebhookOutboxRepository,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.readers.register({ name: 'webhooks', batchSize: BATCH, apply: (events) => this.apply(events) });
  }

  /** In the transaction that also moves the cursor. */
  private async apply(events: readonly StoredEvent[]): Promise<void> {
    if (!(await this.audience.isAny())) {
      return;
    }
    const told = await this.permitted(events, await this.audience.audienceOf(events));
    if (told.length === 0) {
      return;
    }
    await this.outbox.add(told.map(toNewDelivery));
    this.transactions.afterCommit(() => {
      this.signals.publish('webhooks_wait', {});
    });
  }

  private async permitted(events: readonly StoredEvent[], members: readonly AudienceMember[]): Promise<ToldEvent[]> {
    const known = members.flatMap(({ place, endpointId, userId }) => {
      const event = events[place];
      return event ? [{ endpointId, userId, event }] : [];
    });
    const personal = known.flatMap(({ userId, event }) => (userId === null ? [] : [{ userId, event }]));
    const verdicts = (await this.access.judge(personal)).values();
    return known.filter(({ userId }) => userId === null || verdicts.next().value?.maySee);
  }
}

function toNewDelivery({ endpointId, event }: ToldEvent): NewDelivery {
  return { endpointId, deviceId: event.deviceId ?? NO_DEVICE, event };
}
