import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, Max, Min } from 'class-validator';
import { AreIds } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../../platform/http/members/time-zone.decorator.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Question, RankedMeasure } from '../analytics.types.js';
import { MAX_COMPARED } from '../usage.service.js';
import { type Measure, MEASURES } from '../domain/measures.js';
import { PERIODS, type PeriodName } from '../domain/periods.js';
import { type Bucket, BUCKETS } from '../domain/time-buckets.js';

const RANKED = ['unlocks', 'openings'] as const satisfies readonly RankedMeasure[];
const MAX_LISTED = 50;

export class PeriodQueryDto {
  /**
   * `24h`: the present hour and 23 before it. `7d`, `30d`: today and the days before it, by the calendar of the zone. `custom`: from
   * `from` to `until`.
   */
  @IfGiven()
  @IsIn(PERIODS)
  @OftenCalled('range', 'timeRange', 'timeframe', 'interval')
  period: PeriodName = '24h';

  /**
   * The beginning of a `custom` period (RFC 3339): any instant, by when events were received.
   * @example 2026-11-20T17:07:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('since', 'start', 'startDate', 'after')
  from?: string;

  /**
   * Its end, exclusive; the present quarter of an hour when it is left out, or later.
   * @example 2026-11-21T09:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('to', 'end', 'endDate', 'before')
  until?: string;

  /**
   * Whose hours and days are meant: an IANA name. Mine, as I set it with my quiet hours, else UTC.
   * @example Europe/Berlin
   */
  @IfGiven()
  @IsTimeZoneName()
  @OftenCalled('tz', 'zone')
  timeZone?: string;
}

export class CourseQueryDto extends PeriodQueryDto {
  /** What one point stands for. It is chosen by the length of the period when it is left out. An answer has at most 800 points. */
  @IfGiven()
  @IsIn(BUCKETS)
  @OftenCalled('granularity', 'resolution', 'groupBy', 'step')
  bucket?: Bucket;
}

export class ComparisonQueryDto extends CourseQueryDto {
  /**
   * Two to ten devices that I see, with commas between them. The first ten by their names when it is left out.
   * @example ["019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55", "019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56"]
   */
  @IfGiven()
  @IsArray()
  @ArrayMinSize(2)
  @ArrayMaxSize(MAX_COMPARED)
  @ArrayUnique()
  @AreIds()
  @Transform(({ value }: { value: unknown }) => splitAtCommas(value))
  @OftenCalled('devices', 'ids', 'deviceId')
  deviceIds?: string[];

  /** What is compared. */
  @IfGiven()
  @IsIn(MEASURES)
  @OftenCalled('metric', 'figure', 'type')
  measure: Measure = 'events';
}

/** A query of a list of at most fifty devices. */
export class ListedPeriodQueryDto extends PeriodQueryDto {
  /** How many devices are named. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (/^\d{1,3}$/.test(String(value)) ? Number(value) : value))
  @IsInt()
  @Min(1)
  @Max(MAX_LISTED)
  @OftenCalled('count', 'top', 'size')
  limit = 10;
}

export class RankingQueryDto extends ListedPeriodQueryDto {
  /** What is counted: how often a bolt was unlocked, or a door opened. */
  @IfGiven()
  @IsIn(RANKED)
  @OftenCalled('metric', 'figure')
  measure: RankedMeasure = 'unlocks';
}

function splitAtCommas(value: unknown): unknown {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.every((text) => typeof text === 'string')
    ? texts.flatMap((text) => text.split(',', MAX_COMPARED + 1))
    : value;
}

/** @param userId who asks */
export function toQuestion(
  userId: string,
  { period, from, until, timeZone, ...rest }: PeriodQueryDto & { readonly bucket?: Bucket },
): Question {
  return {
    userId,
    period,
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(rest.bucket === undefined ? {} : { bucket: rest.bucket }),
  };
}
