import { ApiProperty } from '@nestjs/swagger';
import type { ExportNews } from '../../contracts/realtime.js';
import type { Page } from '../../shared/paging.js';
import {
  EXPORT_FAILURES,
  EXPORT_FILE_FORMATS,
  EXPORT_STATES,
  EXPORT_TYPES,
  type Export,
  type ExportFailure,
  type ExportFileFormat,
  type ExportState,
  type ExportType,
  percentOf,
} from './exports.types.js';

/** How far an export is. */
export class ExportProgressDto {
  /**
   * 0 to 100, by an estimate of the rows; 100 only when it is completed.
   * @example 42
   */
  percent!: number;

  /**
   * Rows that are written.
   * @example 420000
   */
  rows!: number;

  /**
   * Rows as the database expects them; null before it begins.
   * @example 1000000
   */
  @ApiProperty({ type: 'integer', nullable: true })
  estimatedRows!: number | null;
}

/** An export: what was asked for, and what has become of it. */
export class ExportDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  @ApiProperty({ enum: EXPORT_TYPES, example: 'device_logs' })
  type!: ExportType;

  @ApiProperty({ enum: EXPORT_FILE_FORMATS, example: 'csv' })
  format!: ExportFileFormat;

  /** `COMPLETED`: its file can be read for 24 hours, and then it is `EXPIRED`. */
  @ApiProperty({ enum: EXPORT_STATES, example: 'COMPLETED' })
  state!: ExportState;

  progress!: ExportProgressDto;

  /** Why it failed; null where it did not. */
  @ApiProperty({ type: String, enum: [...EXPORT_FAILURES, null], nullable: true, example: null })
  failure!: ExportFailure | null;

  /**
   * Null: all that I may see.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55"]
   */
  deviceIds!: string[] | null;

  /** @example ["door_status_changed"] */
  eventTypes!: string[] | null;

  /** @example 2026-11-01T00:00:00.000Z */
  from!: string | null;

  /** @example 2026-12-01T00:00:00.000Z */
  until!: string | null;

  /** @example ["receivedAt", "deviceName", "type", "payload"] */
  columns!: string[] | null;

  /** @example Europe/Berlin */
  timeZone!: string;

  /** RFC 3339: the moment that the data shows. Null before it begins, and for logs, which end where they were asked for. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  snapshotAt!: string | null;

  /**
   * Bytes; null while there is no file.
   * @example 25066678
   */
  @ApiProperty({ type: 'integer', nullable: true })
  size!: number | null;

  /**
   * SHA-256 of the file, hexadecimal.
   * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
   */
  sha256!: string | null;

  /** The schedule that asked for it; null where I did. */
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null })
  scheduleId!: string | null;

  /**
   * RFC 3339.
   * @example 2026-12-01T08:00:00.000Z
   */
  createdAt!: string;

  /** @example 2026-12-01T08:00:03.120Z */
  finishedAt!: string | null;

  /**
   * When the file is deleted.
   * @example 2026-12-02T08:00:03.120Z
   */
  expiresAt!: string | null;
}

/** One page of exports, newest first. */
export class ExportPageDto {
  items!: ExportDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJleHBvcnRzIiwiMjAyNi0xMi0wMVQwODowMDowMC4wMDBaIiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU1Il0
   */
  nextCursor!: string | null;
}

/** A link to a file. */
export class ExportLinkDto {
  /**
   * Opens the file without a session.
   * @example https://doors.example.com/api/v1/exports/019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55/file?expires=1764576183&signature=3q2-7wAAAAA
   */
  url!: string;

  /**
   * RFC 3339: five minutes later.
   * @example 2026-12-01T08:05:03.000Z
   */
  expiresAt!: string;
}

/** How far an export is, as its owner's dashboards are told. */
export class ExportNewsDto implements ExportNews {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  exportId!: string;

  @ApiProperty({ enum: EXPORT_STATES, example: 'RUNNING' })
  state!: ExportState;

  /** @example 420000 */
  rows!: number;

  /** @example 42 */
  percent!: number;
}

export function toExportDto(one: Export): Readonly<ExportDto> {
  return {
    id: one.id,
    type: one.type,
    format: one.format,
    state: one.state,
    progress: { percent: percentOf(one), rows: one.rows, estimatedRows: one.estimatedRows },
    failure: one.failure,
    deviceIds: listed(one.deviceIds),
    eventTypes: listed(one.eventTypes),
    from: one.from ?? null,
    until: one.until ?? null,
    columns: listed(one.columns),
    timeZone: one.timeZone,
    snapshotAt: timeOf(one.snapshotAt),
    size: one.size,
    sha256: one.sha256,
    scheduleId: one.scheduleId,
    createdAt: one.createdAt.toISOString(),
    finishedAt: timeOf(one.finishedAt),
    expiresAt: timeOf(one.expiresAt),
  };
}

export function toExportPageDto({ items, nextCursor }: Page<Export>): Readonly<ExportPageDto> {
  return { items: items.map(toExportDto), nextCursor };
}

function listed(names: readonly string[] | undefined): string[] | null {
  return names ? [...names] : null;
}

function timeOf(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
