import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Page } from '../../../shared/paging.js';
import {
  DELIVERY_FAILURES,
  DELIVERY_STATES,
  type DeliveryFailure,
  type DeliveryState,
  type WebhookDelivery,
} from '../webhooks.types.js';
import type { DeliveryWithBody } from './webhook-deliveries.repository.js';

export class ListDeliveriesQueryDto extends PageQueryDto {
  /** Only those in this state. */
  @ApiPropertyOptional({ enum: DELIVERY_STATES, example: 'FAILED' })
  @IfGiven()
  @IsIn(DELIVERY_STATES)
  @OftenCalled('status')
  state?: DeliveryState;
}

/** An event on its way to a webhook, or at its end. */
export class WebhookDeliveryDto {
  /**
   * The `webhook-id` of its requests, of each attempt: by it, a receiver knows what it has already.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c58
   */
  id!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57 */
  webhookId!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string | null;

  /**
   * Its place among the events of the device for this webhook, from 1, without a gap; null for a test.
   * @example 17
   */
  sequence!: number | null;

  /**
   * The type of the event, or `webhook_test`.
   * @example door_status_changed
   */
  type!: string;

  @ApiProperty({ enum: DELIVERY_STATES, example: 'DELIVERED' })
  state!: DeliveryState;

  /**
   * Made so far.
   * @example 1
   */
  attempts!: number;

  /** RFC 3339; null when it has ended, and while an earlier event of its device holds it back. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  nextAttemptAt!: string | null;

  /**
   * The status that the last attempt was answered with; null where there was no answer.
   * @example 204
   */
  lastStatus!: number | null;

  /** Why the last attempt was not taken. */
  @ApiProperty({ type: String, enum: [...DELIVERY_FAILURES, null], nullable: true, example: null })
  lastError!: DeliveryFailure | null;

  /**
   * How long the last attempt took, in milliseconds.
   * @example 84
   */
  lastDurationMs!: number | null;

  /** @example 2026-12-02T08:00:00.000Z */
  createdAt!: string;

  /** @example 2026-12-02T08:00:00.100Z */
  finishedAt!: string | null;
}

export class WebhookDeliveryWithBodyDto extends WebhookDeliveryDto {
  /**
   * Exactly what is posted.
   * @example {"type":"webhook_test","timestamp":"2026-12-02T08:00:00.000Z","sequence":null,"data":{}}
   */
  body!: string;
}

/** One page of deliveries, newest first. */
export class WebhookDeliveryPageDto {
  items!: WebhookDeliveryDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJ3ZWJob29rX2RlbGl2ZXJpZXMiLCIyMDI2LTEyLTAyVDA4OjAwOjAwLjAwMFoiLCIwMTlhOWYzZS02YjFhLTdjNDQtOWQwZS0yZjZmM2ExYjhjNTgiXQ
   */
  nextCursor!: string | null;
}

export function toWebhookDeliveryDto(delivery: WebhookDelivery): Readonly<WebhookDeliveryDto> {
  const { id, endpointId, deviceId, sequence, type, state, attempts, lastStatus, lastError, lastDurationMs } = delivery;
  return {
    id,
    webhookId: endpointId,
    deviceId,
    sequence,
    type,
    state,
    attempts,
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    lastStatus,
    lastError,
    lastDurationMs,
    createdAt: delivery.createdAt.toISOString(),
    finishedAt: delivery.finishedAt?.toISOString() ?? null,
  };
}

export function toWebhookDeliveryWithBodyDto(delivery: DeliveryWithBody): Readonly<WebhookDeliveryWithBodyDto> {
  return { ...toWebhookDeliveryDto(delivery), body: delivery.body };
}

export function toWebhookDeliveryPageDto({
  items,
  nextCursor,
}: Page<WebhookDelivery>): Readonly<WebhookDeliveryPageDto> {
  return { items: items.map(toWebhookDeliveryDto), nextCursor };
}
