import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { ForbiddenError, ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { IfMatch, TakesIfMatch } from '../../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../../platform/http/conditional/version-tag.interceptor.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { OrganizationNotFoundError } from '../../organizations/organizations.errors.js';
import {
  InvalidWebhookUrlError,
  TooManyWebhooksError,
  WebhookChangedError,
  WebhookNotFoundError,
} from '../webhooks.errors.js';
import {
  CreateWebhookDto,
  ListWebhooksQueryDto,
  overlapMsOf,
  RotateWebhookSecretDto,
  toWebhookChanges,
  toWebhookDto,
  toWebhookPageDto,
  toWebhookSettings,
  toWebhookWithSecretDto,
  UpdateWebhookDto,
  WebhookDto,
  WebhookPageDto,
  WebhookWithSecretDto,
} from './webhooks.dto.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('Webhooks')
@Controller('webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  /**
   * Have events posted to a URL, signed as Standard Webhooks says: of what you may see, or of the devices of an organization that you
   * manage. The answer has the secret, which is shown now alone. docs/webhooks.md tells how to verify a request.
   */
  @Post()
  @Authorize()
  @Audit('webhook_created')
  @RateLimit('webhooks')
  @Idempotent()
  @Refuses(
    InvalidWebhookUrlError,
    TooManyWebhooksError,
    new ForbiddenError('organization:manager'),
    new ResourceNotFoundError('device'),
    OrganizationNotFoundError,
  )
  async create(
    @CurrentUser() { userId }: Principal,
    @Body() body: CreateWebhookDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WebhookWithSecretDto> {
    const made = await this.webhooks.create(userId, body.organizationId, toWebhookSettings(body));
    void reply.header('Location', `/api/v1/webhooks/${made.endpoint.id}`);
    return toWebhookWithSecretDto(made);
  }

  /** My webhooks, or those of an organization that I manage; oldest first. */
  @Get()
  @Authorize()
  @Refuses(InvalidCursorError, new ForbiddenError('organization:manager'), OrganizationNotFoundError)
  async list(@CurrentUser() { userId }: Principal, @Query() query: ListWebhooksQueryDto): Promise<WebhookPageDto> {
    return toWebhookPageDto(await this.webhooks.list(userId, query));
  }

  /** A webhook that I manage, with its version as `ETag`. */
  @Get(':webhookId')
  @Authorize()
  @ReadVersioned()
  @Refuses(WebhookNotFoundError, new ForbiddenError('organization:manager'))
  async get(@CurrentUser() { userId }: Principal, @Param('webhookId') id: string): Promise<WebhookDto> {
    return toWebhookDto(await this.webhooks.get(userId, id));
  }

  /** Change a webhook. With `If-Match`, only a version it names. */
  @Patch(':webhookId')
  @Authorize()
  @Audit('webhook_updated')
  @RateLimit('webhooks')
  @TakesIfMatch(WebhookChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(
    WebhookNotFoundError,
    InvalidWebhookUrlError,
    new ForbiddenError('organization:manager'),
    new ResourceNotFoundError('device'),
  )
  async update(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Body() body: UpdateWebhookDto,
    @IfMatch() versions?: number[],
  ): Promise<WebhookDto> {
    return toWebhookDto(await this.webhooks.update(userId, id, toWebhookChanges(body), versions));
  }

  /** Delete a webhook with its log. What waits is not sent. */
  @Delete(':webhookId')
  @Authorize()
  @Audit('webhook_deleted')
  @HttpCode(204)
  @TakesIfMatch(WebhookChangedError)
  @Refuses(WebhookNotFoundError, new ForbiddenError('organization:manager'))
  async remove(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @IfMatch() versions?: number[],
  ): Promise<void> {
    await this.webhooks.remove(userId, id, versions);
  }

  /** Give a webhook another secret, which is shown now alone. For a while, requests have a signature by each of both. */
  @Post(':webhookId/rotate-secret')
  @Authorize()
  @Audit('webhook_secret_rotated')
  @RateLimit('webhooks')
  @Idempotent()
  @HttpCode(200)
  @Refuses(WebhookNotFoundError, new ForbiddenError('organization:manager'))
  async rotateSecret(
    @CurrentUser() { userId }: Principal,
    @Param('webhookId') id: string,
    @Body() body: RotateWebhookSecretDto,
  ): Promise<WebhookWithSecretDto> {
    return toWebhookWithSecretDto(await this.webhooks.rotateSecret(userId, id, overlapMsOf(body)));
  }
}
