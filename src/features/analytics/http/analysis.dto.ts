import { ApiProperty } from '@nestjs/swagger';
import type { Analysis, Course, NamedSeries } from '../analytics.types.js';
import { type Bucket, labelOf } from '../domain/time-buckets.js';

/** One line of a chart. */
export class SeriesDto {
  /**
   * The figure, or the name of the device.
   * @example unlocks
   */
  name!: string;

  /**
   * Of which device, where the series is one of a device.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  deviceId?: string;

  /**
   * `events` or `seconds`.
   * @example events
   */
  unit!: string;

  /**
   * One for each label.
   * @example [4, 7, 3]
   */
  values!: number[];
}

/** What time an answer is about, and how fresh it is. */
export class AnalysisDto {
  /**
   * By whose clocks and calendar.
   * @example Europe/Berlin
   */
  timeZone!: string;

  /**
   * RFC 3339, inclusive.
   * @example 2026-11-18T23:00:00.000Z
   */
  from!: string;

  /**
   * RFC 3339, exclusive.
   * @example 2026-11-21T18:15:00.000Z
   */
  until!: string;

  /**
   * RFC 3339. Every event that was received before is counted; mostly it is a second ago.
   * @example 2026-11-21T18:02:11.480Z
   */
  asOf!: string;

  /**
   * `hour` where a part of the period was counted by whole hours: an hour across the edge of a point is in the one in which it
   * begins, and unlocks are not told from other changes of a door. Else `quarter`, which is exact.
   * @example quarter
   */
  resolution!: 'quarter' | 'hour';
}

/** A chart over time. */
export class ChartDto extends AnalysisDto {
  /**
   * `quarter` (of an hour), `hour`, `day`, `week` (from Monday) or `month`, by the clocks of the zone.
   * @example day
   */
  bucket!: Bucket;

  /**
   * Where each point begins, with the offset of the zone: of an hour that comes twice, both have their own. The first
   * and the last point may be cut by the period.
   * @example ["2026-11-19T00:00:00+01:00", "2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00"]
   */
  @ApiProperty({ type: [String], format: 'date-time' })
  labels!: string[];

  series!: SeriesDto[];
}

export function toAnalysisDto({ period, asOf, isHourly }: Analysis): Readonly<AnalysisDto> {
  return {
    timeZone: period.timeZone,
    from: new Date(period.from).toISOString(),
    until: new Date(period.until).toISOString(),
    asOf: asOf.toISOString(),
    resolution: isHourly ? 'hour' : 'quarter',
  };
}

export function toChartDto(course: Course): Readonly<ChartDto> {
  const { bounds, bucket, timeZone } = course.period;
  return {
    ...toAnalysisDto(course),
    bucket,
    labels: bounds.slice(0, -1).map((start) => labelOf(start, timeZone)),
    series: course.series.map(toSeriesDto),
  };
}

export function toSeriesDto({ name, deviceId, unit, values }: NamedSeries): SeriesDto {
  return { name, ...(deviceId === undefined ? {} : { deviceId }), unit, values: [...values] };
}
