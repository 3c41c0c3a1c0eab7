import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { EVENT_TYPES, type EventType } from '../../../contracts/events.js';
import { AreIds, IsId } from '../../../platform/http/members/id.decorator.js';
import { IfGiven, OrNull } from '../../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import type { Page } from '../../../shared/paging.js';
import {
  WEBHOOK_DISABLED_REASONS,
  WEBHOOK_STATES,
  type WebhookDisabledReason,
  type WebhookEndpoint,
  type WebhookSettings,
  type WebhookState,
} from '../webhooks.types.js';
import type { EndpointWithSecret, WebhookChanges } from './webhooks.service.js';

const MAX_DESCRIPTION = 200;
const MAX_DEVICES = 500;
const MAX_URL = 2_048;
const HOUR_MS = 3_600_000;
const MAX_OVERLAP_HOURS = 168;

/** What is told, and where. */
class WebhookContentDto {
  /** For you alone; null: none. */
  @OrNull()
  @IsVisibleText({ max: MAX_DESCRIPTION })
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: MAX_DESCRIPTION, example: 'Front desk' })
  @OftenCalled('name', 'title', 'label')
  description?: string | null;

  /** Only events of these types; left out or empty: of every type. */
  @ApiPropertyOptional({ enum: EVENT_TYPES, isArray: true, example: ['door_status_changed', 'low_battery'] })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(EVENT_TYPES.length)
  @ArrayUnique()
  @IsIn(EVENT_TYPES, { each: true })
  @OftenCalled('types', 'events', 'enabledEvents', 'filterTypes')
  eventTypes?: EventType[];

  /**
   * Only events of these devices; left out or empty: of every device.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"]
   */
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(MAX_DEVICES)
  @ArrayUnique()
  @AreIds()
  @OftenCalled('devices', 'deviceId')
  deviceIds?: string[];
}

/** A webhook to create. */
export class CreateWebhookDto extends WebhookContentDto {
  /**
   * `https`, and reached from the internet. Events are posted to it.
   * @example https://example.com/hooks/mortise
   */
  @IsString()
  @MaxLength(MAX_URL)
  @OftenCalled('endpoint', 'uri', 'target', 'callbackUrl')
  url!: string;

  /**
   * The organization whose devices it tells of; takes a manager of it. Left out: it is yours, and tells of what you may see.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  @IfGiven()
  @IsId()
  organizationId?: string;
}

/** What may be changed of a webhook. */
export class UpdateWebhookDto extends WebhookContentDto {
  /**
   * See the creation.
   * @example https://example.com/hooks/mortise
   */
  @IfGiven()
  @IsString()
  @MaxLength(MAX_URL)
  @OftenCalled('endpoint', 'uri', 'target', 'callbackUrl')
  url?: string;

  /**
   * False: nothing more is sent, and what waits fails with `endpoint_disabled`. True: it is told of what happens from now on.
   * @example true
   */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('active', 'isEnabled', 'disabled')
  enabled?: boolean;
}

/** Which secret signs. */
export class RotateWebhookSecretDto {
  /** For how long the secret before signs as well, in hours; 0 where it is known to others. */
  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_OVERLAP_HOURS, default: 24, example: 24 })
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_HOURS)
  overlapHours = 24;
}

export class ListWebhooksQueryDto extends PageQueryDto {
  /**
   * Those of an organization; takes a manager of it. Left out: mine.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  @IfGiven()
  @IsId()
  organizationId?: string;
}

/** Where events are posted to. */
export class WebhookDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57 */
  id!: string;

  /**
   * Null: it is a person's own.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  organizationId!: string | null;

  /** @example https://example.com/hooks/mortise */
  url!: string;

  /** @example Front desk */
  description!: string | null;

  /**
   * Empty: every type.
   * @example ["door_status_changed", "low_battery"]
   */
  eventTypes!: EventType[];

  /**
   * Empty: every device.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"]
   */
  deviceIds!: string[];

  @ApiProperty({ enum: WEBHOOK_STATES, example: 'ENABLED' })
  state!: WebhookState;

  /**
   * `owner`: by who manages it. `failing`: nothing was taken for three days. `gone`: it answered 410.
   * `overfull`: 100,000 waited for it. Null while it is enabled.
   */
  @ApiProperty({ type: String, enum: [...WEBHOOK_DISABLED_REASONS, null], nullable: true, example: null })
  disabledReason!: WebhookDisabledReason | null;

  /** RFC 3339. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  disabledAt!: string | null;

  /**
   * Attempts that failed since the last one that was taken.
   * @example 0
   */
  failures!: number;

  /** RFC 3339: the first of these. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  failingSince!: string | null;

  /** RFC 3339: until then, the secret before the present one signs as well. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  previousSecretUntil!: string | null;

  /**
   * Grows with every change; also the `ETag`.
   * @example 1
   */
  version!: number;

  /** @example 2026-12-02T08:00:00.000Z */
  createdAt!: string;

  /** @example 2026-12-02T08:00:00.000Z */
  updatedAt!: string;
}

export class WebhookWithSecretDto extends WebhookDto {
  /**
   * What its requests are signed with (Standard Webhooks). Shown now alone: keep it.
   * @example whsec_bW9ydGlzZSBleGFtcGxlIHNlY3JldCwgMzIgYnl0ZXM=
   */
  secret!: string;
}

/** One page of webhooks, oldest first. */
export class WebhookPageDto {
  items!: WebhookDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJ3ZWJob29rcyIsIjIwMjYtMTItMDJUMDg6MDA6MDAuMDAwWiIsIjAxOWE5ZjNlLTZiMWEtN2M0NC05ZDBlLTJmNmYzYTFiOGM1NyJd
   */
  nextCursor!: string | null;
}

export function toWebhookSettings({ url, description, eventTypes, deviceIds }: CreateWebhookDto): WebhookSettings {
  return { url, description: description ?? null, eventTypes: eventTypes ?? [], deviceIds: deviceIds ?? [] };
}

/** What the body has: a member that is left out stays as it is. */
export function toWebhookChanges({
  url,
  description,
  eventTypes,
  deviceIds,
  enabled,
}: UpdateWebhookDto): WebhookChanges {
  return {
    ...(url !== undefined && { url }),
    ...(description !== undefined && { description }),
    ...(eventTypes && { eventTypes }),
    ...(deviceIds && { deviceIds }),
    ...(enabled !== undefined && { enabled }),
  };
}

export function overlapMsOf({ overlapHours }: RotateWebhookSecretDto): number {
  return overlapHours * HOUR_MS;
}

export function toWebhookDto(endpoint: WebhookEndpoint): Readonly<WebhookDto> {
  const { id, organizationId, url, description, eventTypes, deviceIds, state, disabledReason, failures, version } =
    endpoint;
  return {
    id,
    organizationId,
    url,
    description,
    eventTypes: [...eventTypes],
    deviceIds: [...deviceIds],
    state,
    disabledReason,
    disabledAt: endpoint.disabledAt?.toISOString() ?? null,
    failures,
    failingSince: endpoint.failingSince?.toISOString() ?? null,
    previousSecretUntil: endpoint.previousUntil?.toISOString() ?? null,
    version,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}

export function toWebhookWithSecretDto({ endpoint, secret }: EndpointWithSecret): Readonly<WebhookWithSecretDto> {
  return { ...toWebhookDto(endpoint), secret };
}

export function toWebhookPageDto({ items, nextCursor }: Page<WebhookEndpoint>): Readonly<WebhookPageDto> {
  return { items: items.map(toWebhookDto), nextCursor };
}
