import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsUUID } from 'class-validator';
import { SpelledAsId } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Page } from '../../../shared/paging.js';
import {
  REPORTED_FAILURES,
  type ReportedFailure,
  MESSAGE_CHANNELS,
  MESSAGE_STATES,
  type MessageState,
  type Notification,
  NOTIFICATION_KINDS,
  type NotificationChannelName,
  type NotificationDelivery,
  type NotificationKind,
  type Suppression,
  SUPPRESSIONS,
} from '../notifications.types.js';
import { LIST_STATES, type ListState } from './notifications.repository.js';

export class ListNotificationsQueryDto extends PageQueryDto {
  /** Only those in this list; left out: all that are not archived. */
  @ApiPropertyOptional({ enum: LIST_STATES, example: 'unread' })
  @IfGiven()
  @IsIn(LIST_STATES)
  @OftenCalled('status', 'filter')
  state?: ListState;

  /** Only of this kind. */
  @ApiPropertyOptional({ enum: NOTIFICATION_KINDS, example: 'door_forced' })
  @IfGiven()
  @IsIn(NOTIFICATION_KINDS)
  @OftenCalled('type', 'event')
  kind?: NotificationKind;

  /**
   * Only about this device.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  @IfGiven()
  @SpelledAsId()
  @IsUUID()
  @ApiPropertyOptional({ type: String, format: 'uuid' })
  @OftenCalled('device')
  deviceId?: string;
}

/** Only what is given changes. */
export class UpdateNotificationDto {
  /** @example true */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('isRead', 'seen')
  read?: boolean;

  /** @example true */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('isArchived')
  archived?: boolean;
}

/** Which are read. */
export class ReadNotificationsDto {
  /**
   * The last of those that were shown came then (RFC 3339); left out: all.
   * @example 2026-12-06T08:00:00.000Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('before', 'upTo', 'to')
  until?: string;
}

export class UnreadCountDto {
  /**
   * 10000: so many, or more.
   * @example 3
   */
  unread!: number;
}

/** What I am told of. */
export class NotificationDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c61 */
  id!: string;

  @ApiProperty({ enum: NOTIFICATION_KINDS, example: 'door_forced' })
  kind!: NotificationKind;

  /** @example true */
  isUrgent!: boolean;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string | null;

  /**
   * The command, export, share, invitation or session that it is about.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c63
   */
  subjectId!: string | null;

  /** What its text is made of, by its kind: names, and what was reported. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { deviceName: 'Front door' } })
  values!: Record<string, unknown>;

  /**
   * Events that it tells of: those like it that came soon after are told by it.
   * @example 1
   */
  occurrences!: number;

  /**
   * When the first of them happened.
   * @example 2026-12-06T07:59:59.000Z
   */
  occurredAt!: string;

  /**
   * When the last of them did.
   * @example 2026-12-06T07:59:59.000Z
   */
  lastAt!: string;

  /** @example 2026-12-06T08:00:00.000Z */
  createdAt!: string;

  /** Null: it is unread. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  readAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  archivedAt!: string | null;
}

/** One page of notifications, newest first. */
export class NotificationPageDto {
  items!: NotificationDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJub3RpZmljYXRpb25zIiwiMjAyNi0xMi0wNlQwODowMDowMC4wMDBaIiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzYxIl0
   */
  nextCursor!: string | null;
}

/** A notification on its way over a channel. */
export class NotificationDeliveryDto {
  @ApiProperty({ enum: MESSAGE_CHANNELS, example: 'email' })
  channel!: NotificationChannelName;

  /** `SENT`: the provider took it. `DELIVERED`: it says that it arrived. */
  @ApiProperty({ enum: MESSAGE_STATES, example: 'SENT' })
  state!: MessageState;

  /** Why it was not sent, where it was `SUPPRESSED`; why it did not arrive, where a provider reported that. */
  @ApiProperty({ type: String, enum: [...SUPPRESSIONS, ...REPORTED_FAILURES, null], nullable: true, example: null })
  reason!: Suppression | ReportedFailure | null;

  /**
   * The message that it was in: several may have been sent as one.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c62
   */
  messageId!: string;

  /** @example 1 */
  attempts!: number;

  /** RFC 3339; null when it has ended. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  nextAttemptAt!: string | null;

  /**
   * Why the last attempt failed.
   * @example EENVELOPE 451
   */
  lastError!: string | null;

  /** @example 2026-12-06T08:00:00.000Z */
  createdAt!: string;

  /** @example 2026-12-06T08:00:00.200Z */
  finishedAt!: string | null;
}

export class NotificationDeliveriesDto {
  items!: NotificationDeliveryDto[];
}

export function toNotificationDto(notification: Notification): Readonly<NotificationDto> {
  const { occurredAt, lastAt, createdAt, readAt, archivedAt, values, ...rest } = notification;
  return {
    ...rest,
    values: { ...values },
    occurredAt: occurredAt.toISOString(),
    lastAt: lastAt.toISOString(),
    createdAt: createdAt.toISOString(),
    readAt: readAt?.toISOString() ?? null,
    archivedAt: archivedAt?.toISOString() ?? null,
  };
}

export function toNotificationPageDto({ items, nextCursor }: Page<Notification>): Readonly<NotificationPageDto> {
  return { items: items.map(toNotificationDto), nextCursor };
}

export function toNotificationDeliveriesDto(
  deliveries: readonly NotificationDelivery[],
): Readonly<NotificationDeliveriesDto> {
  return {
    items: deliveries.map(({ nextAttemptAt, createdAt, finishedAt, ...rest }) => ({
      ...rest,
      nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
      createdAt: createdAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
    })),
  };
}
