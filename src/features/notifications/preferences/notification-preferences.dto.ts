import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayUnique, IsBoolean, IsIn, Matches } from 'class-validator';
import { OrNull } from '../../../platform/http/members/if-given.js';
import { NestedList } from '../../../platform/http/members/nested.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { NOTIFICATION_CHANNELS, type NotificationChannel } from '../../account/preferences.types.js';
import { NOTIFICATION_KINDS, type NotificationKind } from '../notifications.types.js';
import type { ChangedChoice, NotificationPreferences } from './notification-preferences.service.js';

/** What I want of a kind over a channel. */
export class NotificationChoiceDto {
  @ApiProperty({ enum: NOTIFICATION_KINDS, example: 'low_battery' })
  kind!: NotificationKind;

  @ApiProperty({ enum: NOTIFICATION_CHANNELS, example: 'email' })
  channel!: NotificationChannel;

  /** @example true */
  enabled!: boolean;

  /**
   * As `notificationChannels` among my preferences has it for all kinds. Kinds that have mails of their own need no other one.
   * @example true
   */
  isDefault!: boolean;
}

/** Whether I can be told over a channel. */
export class NotificationChannelDto {
  @ApiProperty({ enum: NOTIFICATION_CHANNELS, example: 'push' })
  channel!: NotificationChannel;

  /**
   * The operator has set it up. Where it is not, my choices are kept, and nothing is sent.
   * @example true
   */
  isSetUp!: boolean;

  /**
   * I have an address, number, hook or subscription for it, which works as far as is known.
   * @example false
   */
  isReachable!: boolean;
}

/** Each kind over each channel. */
export class NotificationPreferencesDto {
  items!: NotificationChoiceDto[];

  channels!: NotificationChannelDto[];
}

/** What I want of a kind over a channel from now on. */
export class ChangedNotificationChoiceDto {
  @ApiProperty({ enum: NOTIFICATION_KINDS, example: 'low_battery' })
  @IsIn(NOTIFICATION_KINDS)
  @OftenCalled('type', 'event')
  kind!: NotificationKind;

  @ApiProperty({ enum: NOTIFICATION_CHANNELS, example: 'email' })
  @IsIn(NOTIFICATION_CHANNELS)
  channel!: NotificationChannel;

  /** Null, or left out: as for all kinds. */
  @ApiProperty({ type: Boolean, nullable: true, required: false, example: false })
  @OrNull()
  @IsBoolean()
  @OftenCalled('isEnabled', 'active', 'on')
  enabled?: boolean | null;
}

/** Only what is named changes. */
export class UpdateNotificationPreferencesDto {
  @NestedList(() => ChangedNotificationChoiceDto)
  @ArrayMaxSize(NOTIFICATION_KINDS.length * NOTIFICATION_CHANNELS.length)
  @ArrayUnique(({ kind, channel }: ChangedNotificationChoiceDto) => `${kind} ${channel}`, {
    message: 'each kind may be named once for a channel',
  })
  @OftenCalled('choices', 'preferences')
  items!: ChangedNotificationChoiceDto[];
}

/** What a mail has. */
export class UnsubscribeQueryDto {
  /** @example MDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU1.3q2-7wAAAAA3q2-7wAAAAA3q2-7wAAAAA3q2-7wAAAA */
  @Matches(/^[\w-]{1,600}\.[\w-]{43}$/, { message: 'must be as the mail has it' })
  token!: string;
}

export function toNotificationPreferencesDto({
  matrix,
  channels,
}: NotificationPreferences): Readonly<NotificationPreferencesDto> {
  return {
    items: matrix.map(({ kind, channel, isEnabled, isDefault }) => ({ kind, channel, enabled: isEnabled, isDefault })),
    channels: channels.map((one) => ({ ...one })),
  };
}

export function toChangedChoices({ items }: UpdateNotificationPreferencesDto): ChangedChoice[] {
  return items.map(({ kind, channel, enabled }) => ({ kind, channel, isEnabled: enabled ?? null }));
}
