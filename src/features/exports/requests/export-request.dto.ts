import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsString, MaxLength } from 'class-validator';
import { EVENT_TYPES, type EventType } from '../../../contracts/events.js';
import { AreIds } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../../platform/http/members/time-zone.decorator.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import {
  EXPORT_FILE_FORMATS,
  EXPORT_TYPES,
  type ExportFileFormat,
  type ExportRequest,
  type ExportType,
} from '../exports.types.js';

const MAX_NAMED_DEVICES = 500;
const MAX_COLUMNS = 40;
const MAX_COLUMN_NAME = 64;

/** What every export can be narrowed to, whenever it is made. */
export class ExportContentDto {
  /**
   * `device_logs`: what happened to devices. `usage_report`: how often they were used, day by day. `device_report`: how they
   * are. `my_data`: all that is kept about me. For administrators: `users`, `audit`.
   */
  @ApiProperty({ enum: EXPORT_TYPES, example: 'device_logs' })
  @IsIn(EXPORT_TYPES)
  @OftenCalled('kind', 'report', 'reportType')
  type!: ExportType;

  /**
   * `csv` (RFC 4180; what a spreadsheet of any region would run as a formula gets an apostrophe in front), `json` (one array),
   * or `ndjson` (a document in each line).
   */
  @ApiProperty({ enum: EXPORT_FILE_FORMATS, example: 'csv' })
  @IsIn(EXPORT_FILE_FORMATS)
  @OftenCalled('fileFormat', 'fileType')
  format!: ExportFileFormat;

  /**
   * Only these devices; left out: all that I may see, up to 5,000. Not for `users`, `audit`, `my_data`.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"]
   */
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_NAMED_DEVICES)
  @ArrayUnique()
  @AreIds()
  @OftenCalled('devices', 'deviceId', 'ids')
  deviceIds?: string[];

  /**
   * Only events of these types. For `device_logs` alone.
   * @example ["door_status_changed"]
   */
  @ApiPropertyOptional({ enum: EVENT_TYPES, isArray: true })
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(EVENT_TYPES.length)
  @ArrayUnique()
  @IsIn(EVENT_TYPES, { each: true })
  @OftenCalled('types', 'events', 'eventType')
  eventTypes?: EventType[];

  /**
   * Only these columns, in this order; left out: all that the type has.
   * @example ["receivedAt", "deviceName", "type", "payload"]
   */
  @IfGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_COLUMNS)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(MAX_COLUMN_NAME, { each: true })
  @OftenCalled('fields', 'select')
  columns?: string[];

  /** IANA name: in it times are written, and days begin. */
  @ApiPropertyOptional({ type: String, default: 'UTC', example: 'Europe/Berlin' })
  @IfGiven()
  @IsTimeZoneName()
  @OftenCalled('timezone', 'tz', 'zone')
  timeZone = 'UTC';
}

export class RequestExportDto extends ExportContentDto {
  /**
   * At or after this time (RFC 3339): of the commit, for logs. Not for `device_report`, `users`.
   * @example 2026-11-01T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('since', 'start', 'startDate')
  from?: string;

  /**
   * Before this time (RFC 3339).
   * @example 2026-12-01T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('to', 'end', 'endDate')
  until?: string;
}

/** As a service takes it. */
export function toExportRequest({
  type,
  format,
  deviceIds,
  eventTypes,
  columns,
  timeZone,
  from,
  until,
}: ExportContentDto & Pick<RequestExportDto, 'from' | 'until'>): ExportRequest {
  return {
    type,
    format,
    timeZone,
    ...(deviceIds && { deviceIds }),
    ...(eventTypes && { eventTypes }),
    ...(columns && { columns }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
  };
}
