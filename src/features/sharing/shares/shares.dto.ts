import { Nested } from '../../../platform/http/members/nested.decorator.js';
import { IsBoolean, IsIn, IsString, Matches } from 'class-validator';
import { DEVICE_PERMISSIONS, type DevicePermission } from '../../../contracts/devices.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import { IfGiven, OrNull } from '../../../platform/http/members/if-given.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { RecurrenceDto, WeeklyScheduleDto } from './schedule.dto.js';

/** When a share is valid. */
export class ShareTimesDto {
  /**
   * RFC 3339. Null, as when left out: from now on.
   * @example 2026-12-24T12:00:00Z
   */
  @OrNull()
  @IsTimestamp()
  @OftenCalled('validFrom', 'start', 'startsAt')
  from?: string | null;

  /**
   * RFC 3339, not included. Null, as when left out: without an end.
   * @example 2027-01-02T10:00:00Z
   */
  @OrNull()
  @IsTimestamp()
  @OftenCalled('validUntil', 'to', 'end', 'expiresAt')
  until?: string | null;

  /** Null, as when left out: at all hours. */
  @OrNull()
  @Nested(() => WeeklyScheduleDto)
  @OftenCalled('weeklySchedule')
  schedule?: WeeklyScheduleDto | null;

  /** In place of `schedule`; its first occurrence is `from` and the end of its last is `until`, where those are left out. */
  @IfGiven()
  @Nested(() => RecurrenceDto)
  recurrence?: RecurrenceDto;
}

/** A share to be given. */
export class ShareDeviceDto extends ShareTimesDto {
  /**
   * The person, who need not have an account yet; the answer does not tell whether they have.
   * @example grace@example.com
   */
  @IsEmailAddress()
  @OftenCalled('mail', 'user', 'identifier', 'recipient')
  email!: string;

  /**
   * What they may do; each level includes the ones before it.
   * @example control
   */
  @IsIn(DEVICE_PERMISSIONS)
  @OftenCalled('role', 'level', 'access')
  permission!: DevicePermission;
}

/** Members left out stay as they are. */
export class UpdateShareDto extends ShareTimesDto {
  /**
   * RFC 3339. Null: from the beginning. Left out: as it is.
   * @example 2026-12-24T12:00:00Z
   */
  override from?: string | null;

  /**
   * RFC 3339, not included. Null: without an end. Left out: as it is.
   * @example 2027-01-02T10:00:00Z
   */
  override until?: string | null;

  /** Null: at all hours. Left out: as it is. */
  override schedule?: WeeklyScheduleDto | null;

  /**
   * In place of `schedule`. Its first occurrence, if that is yet to come, and the end of its last make the time from `from` until
   * `until` shorter, never longer, where those are left out.
   */
  override recurrence?: RecurrenceDto;

  /** @example view */
  @IfGiven()
  @IsIn(DEVICE_PERMISSIONS)
  @OftenCalled('role', 'level', 'access')
  permission?: DevicePermission;

  /**
   * True takes everything it gives until it is false again.
   * @example true
   */
  @IfGiven()
  @IsBoolean()
  @OftenCalled('paused', 'disabled')
  suspended?: boolean;
}

/** An invitation to be accepted. */
export class AcceptShareDto {
  /**
   * As it was mailed; valid once, for 7 days, for the account with the address it was mailed to.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  @IsString()
  @Matches(/^[\w-]{43}$/, { message: 'must be one that was mailed' })
  @OftenCalled('code')
  token!: string;
}
