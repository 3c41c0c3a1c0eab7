import { Nested } from '../../platform/http/members/nested.decorator.js';
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsString, Matches, MaxLength, ValidateBy } from 'class-validator';
import { IfGiven, OrNull } from '../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../platform/http/members/time-zone.decorator.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';
import {
  NOTIFICATION_CHANNELS,
  type NotificationChannel,
  type Preferences,
  type Theme,
  THEMES,
} from './preferences.types.js';

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;
const notTimeOfDay = { message: 'must be a time of day, HH:MM, such as 07:30' };

/** A language tag (BCP 47) that exists. It is read in its one spelling: `de-ch` as `de-CH`, `iw` as `he`. */
function IsLanguageTag(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (canonicalLanguage(value) ?? value) : value,
    ),
    ValidateBy({
      name: 'isLanguageTag',
      validator: {
        validate: (value) => typeof value === 'string' && canonicalLanguage(value) !== null,
        defaultMessage: () => 'must be a language tag (BCP 47)',
      },
    }),
  );
}

function canonicalLanguage(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

/** The time of every day without notifications; it may pass midnight. */
export class QuietHoursDto {
  /** @example 22:00 */
  @Matches(TIME_OF_DAY, notTimeOfDay)
  @OftenCalled('start', 'begin')
  from!: string;

  /** @example 07:00 */
  @Matches(TIME_OF_DAY, notTimeOfDay)
  @OftenCalled('to', 'end', 'till')
  until!: string;

  /**
   * IANA name.
   * @example Europe/Berlin
   */
  @IsTimeZoneName()
  timeZone!: string;
}

/** How the apps look, and how I am notified. */
export class PreferencesDto {
  /** @example dark */
  theme!: Theme;

  /**
   * BCP 47.
   * @example de-CH
   */
  language!: string;

  /** @example ["in_app", "email"] */
  notificationChannels!: NotificationChannel[];

  /** Null: I may be notified at any time. */
  quietHours!: QuietHoursDto | null;
}

/** Only what is given changes. */
export class UpdatePreferencesDto {
  /** @example dark */
  @IfGiven()
  @IsIn(THEMES)
  theme?: Theme;

  /**
   * BCP 47.
   * @example de-CH
   */
  @IfGiven()
  @IsString()
  @MaxLength(35)
  @IsLanguageTag()
  language?: string;

  /** @example ["in_app", "email"] */
  @IfGiven()
  @IsArray()
  @ArrayUnique()
  @ArrayMaxSize(NOTIFICATION_CHANNELS.length)
  @IsIn(NOTIFICATION_CHANNELS, { each: true })
  notificationChannels?: NotificationChannel[];

  /** Null: I may be notified at any time. */
  @OrNull()
  @Nested(() => QuietHoursDto)
  quietHours?: QuietHoursDto | null;
}

export function toPreferencesDto(preferences: Preferences): Readonly<PreferencesDto> {
  const { theme, language, notificationChannels, quietHours } = preferences;
  return { theme, language, notificationChannels: [...notificationChannels], quietHours };
}
