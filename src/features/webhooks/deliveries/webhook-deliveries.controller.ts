import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import {
  WebhookDeliveryNotFoundError,
  WebhookDeliveryNotRepeatableError,
  WebhookDeliveryPendingError,
  WebhookDisabledError,
  WebhookNotFoundError,
} from '../webhooks.errors.js';
import {
  ListDeliveriesQueryDto,
  toWebhookDeliveryDto,
  toWebhookDeliveryPageDto,
  toWebhookDeliveryWithBodyDto,
  WebhookDeliveryDto,
  WebhookDeliveryPageDto,
  WebhookDeliveryWithBodyDto,
} from './webhook-deliveries.dto.js';
import { WebhookDeliveriesService } from './webhook-deliveries.service.js';

@ApiTags('Webhooks')
@Controller('webhooks/:webhookId')
export class WebhookDeliveriesController {
  constructor(private readonly deliveries: WebhookDeliveriesService) {}

  /** Have a `webhook_test` sent to a webhook. Follow what becomes of it at `Location`. */
  @Post('test')
  @Authorize()
  @Audit('webhook_tested')
  @RateLimit('webhooks')
  @Idempotent()
  @HttpCode(202)
  @Refuses(WebhookNotFoundError, WebhookDisabledError, new ForbiddenError('organization:manager'))
  async test(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookDeliveryDto> {
    const delivery = await this.deliveries.test(userId, id);
    void reply.header('Location', `/api/v1/webhooks/${delivery.endpointId}/deliveries/${delivery.id}`);
    return toWebhookDeliveryDto(delivery);
  }

  /** What was sent to a webhook, and what waits; newest first. Kept for two weeks after its end. */
  @Get('deliveries')
  @Authorize()
  @Refuses(WebhookNotFoundError, InvalidCursorError, new ForbiddenError('organization:manager'))
  async list(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Query() query: ListDeliveriesQueryDto,
  ): Promise<WebhookDeliveryPageDto> {
    return toWebhookDeliveryPageDto(await this.deliveries.list(userId, id, query));
  }

  /** One delivery, with what is posted. */
  @Get('deliveries/:deliveryId')
  @Authorize()
  @Refuses(WebhookNotFoundError, WebhookDeliveryNotFoundError, new ForbiddenError('organization:manager'))
  async get(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<WebhookDeliveryWithBodyDto> {
    return toWebhookDeliveryWithBodyDto(await this.deliveries.get(userId, id, deliveryId));
  }

  /** Have a delivery that has ended sent once more, under the same id. It does not wait for others of its device. */
  @Post('deliveries/:deliveryId/replay')
  @Authorize()
  @Audit('webhook_delivery_replayed')
  @RateLimit('webhooks')
  @Idempotent()
  @HttpCode(202)
  @Refuses(
    WebhookNotFoundError,
    WebhookDeliveryNotFoundError,
    WebhookDeliveryPendingError,
    WebhookDeliveryNotRepeatableError,
    WebhookDisabledError,
    new ForbiddenError('organization:manager'),
  )
  async replay(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<WebhookDeliveryDto> {
    return toWebhookDeliveryDto(await this.deliveries.replay(userId, id, deliveryId));
  }
}
