import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Page } from '../../../shared/paging.js';
import { ExportContentDto, toExportRequest } from '../requests/export-request.dto.js';
import { EXPORT_FILE_FORMATS, EXPORT_TYPES, type ExportFileFormat, type ExportType } from '../exports.types.js';
import {
  type ExportSchedule,
  type NewExportSchedule,
  SCHEDULE_PERIODS,
  type SchedulePeriod,
} from './export-schedules.types.js';

const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

export class CreateExportScheduleDto extends ExportContentDto {
  /** `daily`; `weekly`, on Monday; `monthly`, on the first. The export is of the day, week or month before. */
  @ApiProperty({ enum: SCHEDULE_PERIODS, example: 'weekly' })
  @IsIn(SCHEDULE_PERIODS)
  @OftenCalled('frequency', 'interval', 'period', 'schedule')
  every!: SchedulePeriod;

  /**
   * When, by the clock of `timeZone`.
   * @example 07:00
   */
  @Matches(TIME_OF_DAY, { message: 'must be a time of day, HH:MM, such as 07:30' })
  @OftenCalled('time', 'hour')
  at!: string;
}

/** An export that is made again and again. */
export class ExportScheduleDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56 */
  id!: string;

  @ApiProperty({ enum: EXPORT_TYPES, example: 'usage_report' })
  type!: ExportType;

  @ApiProperty({ enum: EXPORT_FILE_FORMATS, example: 'csv' })
  format!: ExportFileFormat;

  /**
   * Null: all that I may see then.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"]
   */
  deviceIds!: string[] | null;

  /** @example ["door_status_changed"] */
  eventTypes!: string[] | null;

  /** @example ["day", "deviceName", "unlocks"] */
  columns!: string[] | null;

  @ApiProperty({ enum: SCHEDULE_PERIODS, example: 'weekly' })
  every!: SchedulePeriod;

  /** @example 07:00 */
  at!: string;

  /** @example Europe/Berlin */
  timeZone!: string;

  /**
   * RFC 3339: when it is due next.
   * @example 2026-12-07T06:00:00.000Z
   */
  nextAt!: string;

  /** @example 2026-12-01T08:00:00.000Z */
  createdAt!: string;
}

/** One page of schedules, newest first. */
export class ExportSchedulePageDto {
  items!: ExportScheduleDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJleHBvcnRfc2NoZWR1bGVzIiwiMjAyNi0xMi0wMVQwODowMDowMC4wMDBaIiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU2Il0
   */
  nextCursor!: string | null;
}

/** As a service takes it. */
export function toNewSchedule({ every, at, ...content }: CreateExportScheduleDto): NewExportSchedule {
  return { ...toExportRequest(content), every, at };
}

export function toExportScheduleDto(schedule: ExportSchedule): Readonly<ExportScheduleDto> {
  const { id, type, format, deviceIds, eventTypes, columns, every, at, timeZone, nextAt, createdAt } = schedule;
  return {
    id,
    type,
    format,
    deviceIds: deviceIds ? [...deviceIds] : null,
    eventTypes: eventTypes ? [...eventTypes] : null,
    columns: columns ? [...columns] : null,
    every,
    at,
    timeZone,
    nextAt: nextAt.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}

export function toExportSchedulePageDto({ items, nextCursor }: Page<ExportSchedule>): Readonly<ExportSchedulePageDto> {
  return { items: items.map(toExportScheduleDto), nextCursor };
}
