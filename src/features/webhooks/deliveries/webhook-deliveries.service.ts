import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid, newId } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { WebhooksService } from '../endpoints/webhooks.service.js';
import { testMessage } from '../sending/webhook-message.js';
import {
  WebhookDeliveryNotFoundError,
  WebhookDeliveryNotRepeatableError,
  WebhookDeliveryPendingError,
  WebhookDisabledError,
} from '../webhooks.errors.js';
import { type DeliveryState, TEST_TYPE, type WebhookDelivery, type WebhookEndpoint } from '../webhooks.types.js';
import { type DeliveryWithBody, WebhookDeliveriesRepository } from './webhook-deliveries.repository.js';

/** What was sent to endpoints, as those who manage them see it. */
@Injectable()
export class WebhookDeliveriesService {
  constructor(
    private readonly endpoints: WebhooksService,
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
    private readonly signals: SignalBus,
    private readonly clock: Clock,
  ) {}

  /** Newest first. @throws InvalidCursorError, WebhookNotFoundError, ForbiddenError */
  async list(
    userId: string,
    webhookId: string,
    { state, limit, cursor }: { readonly state?: DeliveryState; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<WebhookDelivery>> {
    const { id } = await this.endpoints.get(userId, webhookId);
    const after = decodeCursor('webhook_deliveries', cursor, CREATION_PARTS);
    return toPage(
      await this.deliveries.list(id, state, limit, after),
      limit,
      (delivery) => delivery,
      ({ createdAt, id: last }) => encodeCursor('webhook_deliveries', [createdAt.toISOString(), last]),
    );
  }

  /** @throws WebhookDeliveryNotFoundError, WebhookNotFoundError, ForbiddenError */
  async get(userId: string, webhookId: string, deliveryId: string): Promise<DeliveryWithBody> {
    const { id } = await this.endpoints.get(userId, webhookId);
    return this.find(id, deliveryId);
  }

  /** Has a message sent that only tries the endpoint out. @throws WebhookDisabledError, WebhookNotFoundError, ForbiddenError */
  test(userId: string, webhookId: string): Promise<WebhookDelivery> {
    return this.transactions.run(async () => {
      const endpoint = await this.enabled(userId, webhookId);
      const { id } = await this.idempotency.once(async () => {
        const id = newId();
        await this.deliveries.addTest(id, endpoint.id, testMessage(endpoint.id, new Date(this.clock.now())));
        await this.audit.record({ entity: { type: 'webhook', id: endpoint.id }, after: { deliveryId: id } });
        return id;
      });
      this.hint();
      return this.find(endpoint.id, id);
    });
  }

  /**
   * Sends a delivery that has ended once more, under the same id.
   * @throws WebhookDeliveryPendingError, WebhookDeliveryNotRepeatableError, WebhookDisabledError,
   *   WebhookDeliveryNotFoundError, WebhookNotFoundError, ForbiddenError
   */
  replay(userId: string, webhookId: string, deliveryId: string): Promise<WebhookDelivery> {
    return this.transactions.run(async () => {
      const endpoint = await this.enabled(userId, webhookId);
      const { id, type } = await this.find(endpoint.id, deliveryId);
      if (type === TEST_TYPE) {
        throw new WebhookDeliveryNotRepeatableError();
      }
      await this.idempotency.once(async () => {
        if (!(await this.deliveries.replay(id))) {
          throw new WebhookDeliveryPendingError();
        }
        await this.audit.record({ entity: { type: 'webhook', id: endpoint.id }, after: { deliveryId: id } });
        return id;
      });
      this.hint();
      return this.find(endpoint.id, id);
    });
  }

  private async enabled(userId: string, webhookId: string): Promise<WebhookEndpoint> {
    const endpoint = await this.endpoints.get(userId, webhookId);
    if (endpoint.state === 'DISABLED') {
      throw new WebhookDisabledError();
    }
    return endpoint;
  }

  private async find(endpointId: string, deliveryId: string): Promise<DeliveryWithBody> {
    const found = isUuid(deliveryId) ? await this.deliveries.find(endpointId, deliveryId) : null;
    if (!found) {
      throw new WebhookDeliveryNotFoundError(deliveryId);
    }
    return found;
  }

  private hint(): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('webhooks_wait', {});
    });
  }
}
