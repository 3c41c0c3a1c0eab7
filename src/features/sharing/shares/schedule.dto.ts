import { NestedList } from '../../../platform/http/members/nested.decorator.js';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../../platform/http/members/time-zone.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { MAX_WINDOWS, WEEKDAYS, type Weekday } from '../domain/weekly-schedule.js';

const NAMES = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];
const FROM = /^([01]\d|2[0-3]):[0-5]\d$/;
const UNTIL = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** `Monday`, `mon` and `mo` are `MO`. */
function weekdayOf(value: unknown): unknown {
  const text = typeof value === 'string' ? value.trim().toUpperCase() : '';
  const index = NAMES.findIndex((name) => [name, name.slice(0, 3), name.slice(0, 2)].includes(text));
  return WEEKDAYS[index] ?? value;
}

/** `9:00` is `09:00`. */
function timeOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d:\d\d$/.test(value.trim()) ? `0${value.trim()}` : value;
}

/** One stretch of the week. */
export class WeeklyWindowDto {
  /**
   * The days on which it begins.
   * @example ["MO", "TU", "WE", "TH", "FR"]
   */
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? [...new Set(value.map(weekdayOf))] : value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(WEEKDAYS.length)
  @IsIn(WEEKDAYS, { each: true })
  @OftenCalled('weekdays', 'daysOfWeek')
  days!: Weekday[];

  /**
   * `HH:MM` by the clock on the wall, included.
   * @example "08:00"
   */
  @Transform(({ value }: { value: unknown }) => timeOf(value))
  @IsString()
  @Matches(FROM, { message: 'must be a time of day such as 08:00' })
  @OftenCalled('start', 'startTime', 'begin')
  from!: string;

  /**
   * `HH:MM` or `24:00`, not included. At or before `from` it lies on the next day: 22:00 to 06:00 is a night.
   * @example "18:00"
   */
  @Transform(({ value }: { value: unknown }) => timeOf(value))
  @IsString()
  @Matches(UNTIL, { message: 'must be a time of day such as 18:00, or 24:00' })
  @OftenCalled('to', 'end', 'endTime')
  until!: string;
}

/**
 * When a share is open, week after week, by the clock on the wall of a place. A time that the change of clocks skips does
 * not exist, so a window that begins in it opens at its end; one that comes twice is open twice.
 */
export class WeeklyScheduleDto {
  /**
   * IANA name.
   * @example Europe/Berlin
   */
  @IsTimeZoneName()
  @OftenCalled('tz', 'zone')
  timeZone!: string;

  /** At least one; they may overlap. */
  @NestedList(() => WeeklyWindowDto)
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_WINDOWS)
  windows!: WeeklyWindowDto[];
}

/** A recurrence rule of a calendar (RFC 5545), which is read as a weekly schedule. */
export class RecurrenceDto {
  /**
   * `DTSTART` with its zone and `RRULE`, each on a line; also with `DTEND` or `DURATION`, or as the whole `VEVENT` of a calendar. It
   * takes `FREQ=WEEKLY` and `FREQ=DAILY` with `BYDAY`, `BYHOUR`, `BYMINUTE`, and `UNTIL` or `COUNT`, once each.
   */
  @ApiProperty({ example: 'DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE' })
  @IsString()
  @MaxLength(1_000)
  @OftenCalled('rrule', 'recurrenceRule')
  rule!: string;

  /**
   * How long each occurrence lasts, in minutes: 1 to 1440. It may be left out where the rule has `DTEND` or `DURATION`, and must
   * be the same otherwise.
   * @example 480
   */
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(1_440)
  @OftenCalled('duration', 'minutes')
  durationMinutes?: number;
}
