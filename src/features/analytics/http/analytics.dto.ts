import { ApiProperty } from '@nestjs/swagger';
import type { Comparable, Dashboard, Distribution, Live, OfflineReport, Ranking, Usage } from '../analytics.types.js';
import { changeOf, MEASURES, successRateOf, totalOf } from '../domain/measures.js';
import { AnalysisDto, ChartDto, SeriesDto, toAnalysisDto, toChartDto } from './analysis.dto.js';

/** A figure of the period beside that of the time before. */
export class FigureDto {
  /** @example unlocks */
  name!: string;

  /** @example 42 */
  current!: number;

  /**
   * Of the same hours or days before; of a `custom` period, of the time just before it that is as long.
   * @example 35
   */
  previous!: number;

  /**
   * In percent; null where it was nothing before.
   * @example 20
   */
  changePercent!: number | null;
}

/** How often the hour of the day with the most events had some. */
export class PeakHourDto {
  /**
   * From 0 to 23, in the zone.
   * @example 18
   */
  hour!: number;

  /** @example 31 */
  events!: number;
}

/** What happened to a device, and whether it is more than before. */
export class UsageDto extends ChartDto {
  /** The sums of the series. */
  figures!: FigureDto[];

  /** Null without events. */
  peakHour!: PeakHourDto | null;
}

/** How many devices are how. */
export class DeviceCountsDto {
  /** @example 12 */
  total!: number;

  /** @example 10 */
  online!: number;

  /**
   * `offline` or `inactive`.
   * @example 1
   */
  offline!: number;

  /** By their status; one that none has is left out. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 0 },
    example: { online: 10, offline: 1, unknown: 1 },
  })
  byStatus!: Readonly<Record<string, number>>;
}

/** All my devices at a glance. */
export class DashboardDto extends AnalysisDto {
  devices!: DeviceCountsDto;

  figures!: FigureDto[];

  /**
   * Part of the commands that ended in the period which were executed, from 0 to 1; null where none ended.
   * @example 0.9762
   */
  commandSuccessRate!: number | null;
}

/** Events of one type. */
export class TypeCountDto {
  /** @example door_status_changed */
  type!: string;

  /** @example 118 */
  events!: number;
}

/** A chart whose labels are numbers. */
export class ClockChartDto {
  /**
   * Hours from 0 to 23, or weekdays from 1 (Monday) to 7.
   * @example [1, 2, 3, 4, 5, 6, 7]
   */
  labels!: number[];

  series!: SeriesDto[];
}

/** Which events there were, and when. */
export class DistributionDto extends AnalysisDto {
  /** The most frequent first. */
  byType!: TypeCountDto[];

  /** By the hour of the day in the zone. */
  byHour!: ClockChartDto;

  /** By the weekday in the zone. */
  byWeekday!: ClockChartDto;
}

/** How often something happened to a device. */
export class RankedDeviceDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /** @example "Front door" */
  name!: string;

  /** @example 42 */
  count!: number;
}

/** The devices of which something happened most often. */
export class RankingDto extends AnalysisDto {
  items!: RankedDeviceDto[];
}

/** How long a device was offline. */
export class OfflineDeviceDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /** @example "Front door" */
  name!: string;

  /**
   * Within the period, and since the device has its present owner.
   * @example 5400
   */
  seconds!: number;

  /**
   * How often.
   * @example 2
   */
  periods!: number;

  /**
   * Part of the time in which it was not offline; null for a device that was never online.
   * @example 93.75
   */
  uptimePercent!: number | null;
}

/** How long my devices were offline: in all, point by point, and each. */
export class OfflineDto extends ChartDto {
  /**
   * Of all devices together.
   * @example 6100
   */
  totalSeconds!: number;

  /** Those that were offline for the longest first. */
  items!: OfflineDeviceDto[];
}

/** What is going on. At most half a minute old. */
export class LiveDto {
  devices!: DeviceCountsDto;

  /**
   * Orders that have not ended.
   * @example 1
   */
  commandsInFlight!: number;

  /**
   * Events of the last five minutes.
   * @example 17
   */
  recentEvents!: number;

  /**
   * Unlocked in the last five minutes.
   * @example 2
   */
  recentUnlocks!: number;

  /**
   * RFC 3339.
   * @example 2026-11-21T18:02:12.105Z
   */
  asOf!: string;
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];

function toFigures({ totals, previous }: Comparable): FigureDto[] {
  return MEASURES.map((name) => ({
    name,
    current: totals[name],
    previous: previous[name],
    changePercent: changeOf(totals[name], previous[name]),
  }));
}

function toDeviceCounts(devices: Dashboard['devices']): DeviceCountsDto {
  const { online = 0, offline = 0, inactive = 0 } = devices;
  const total = Object.values(devices).reduce((sum, count) => sum + count, 0);
  return { total, online, offline: offline + inactive, byStatus: devices };
}

export function toUsageDto(usage: Usage): Readonly<UsageDto> {
  return { ...toChartDto(usage), figures: toFigures(usage), peakHour: usage.peakHour };
}

export function toDashboardDto(dashboard: Dashboard): Readonly<DashboardDto> {
  return {
    ...toAnalysisDto(dashboard),
    devices: toDeviceCounts(dashboard.devices),
    figures: toFigures(dashboard),
    commandSuccessRate: successRateOf(dashboard.totals),
  };
}

export function toDistributionDto(distribution: Distribution): Readonly<DistributionDto> {
  const chart = (labels: number[], values: readonly number[]): ClockChartDto => ({
    labels,
    series: [{ name: 'events', unit: 'events', values: [...values] }],
  });
  return {
    ...toAnalysisDto(distribution),
    byType: [...distribution.byType],
    byHour: chart(HOURS, distribution.byHour),
    byWeekday: chart(WEEKDAYS, distribution.byWeekday),
  };
}

export function toRankingDto(ranking: Ranking): Readonly<RankingDto> {
  return { ...toAnalysisDto(ranking), items: [...ranking.items] };
}

export function toOfflineDto(report: OfflineReport): Readonly<OfflineDto> {
  const totalSeconds = report.series[0]?.values.reduce((sum, seconds) => sum + seconds, 0) ?? 0;
  return { ...toChartDto(report), totalSeconds, items: [...report.items] };
}

export function toLiveDto({ devices, inFlight, recent, asOf }: Live): Readonly<LiveDto> {
  return {
    devices: toDeviceCounts(devices),
    commandsInFlight: inFlight,
    recentEvents: totalOf('events', recent),
    recentUnlocks: totalOf('unlocks', recent),
    asOf: asOf.toISOString(),
  };
}
