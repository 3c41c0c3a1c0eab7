import { Injectable } from '@nestjs/common';
import { EVENT_TYPES, type EventType } from '../../../contracts/events.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import { NO_DEVICE, TEST_TYPE } from '../webhooks.types.js';
import type { BegunAttempt } from './webhook-attempts.repository.js';
import { WebhookAudienceRepository } from './webhook-audience.repository.js';

/** Decides when a delivery is sent whether its endpoint may still be told: much may have changed since the event. */
@Injectable()
export class WebhookViewService {
  constructor(
    private readonly access: FeedAccessService,
    private readonly audience: WebhookAudienceRepository,
  ) {}

  async isSeen(attempt: BegunAttempt): Promise<boolean> {
    const { type, userId, organizationId, occurredAt, eventUserId, ownerCanAct } = attempt;
    const deviceId = attempt.deviceId === NO_DEVICE ? null : attempt.deviceId;
    if (!ownerCanAct) {
      return false;
    }
    if (type === TEST_TYPE) {
      return true;
    }
    if (userId === null) {
      return organizationId !== null && deviceId !== null && this.audience.isOf(organizationId, deviceId, occurredAt);
    }
    const event = { type: eventTypeOf(type), deviceId, userId: eventUserId, occurredAt: occurredAt.toISOString() };
    const [verdict] = await this.access.judge([{ userId, event }]);
    return verdict?.maySee ?? false;
  }
}

/** A delivery of another release may have a type that this one does not know: it is judged by its device. */
function eventTypeOf(type: string): EventType {
  return EVENT_TYPES.find((known) => known === type) ?? 'custom';
}
