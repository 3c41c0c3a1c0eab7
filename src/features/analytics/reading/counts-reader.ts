import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { PreferencesService } from '../../account/preferences.service.js';
import { InvalidPeriodError, PeriodNotKeptError, TooManyPointsError } from '../analytics.errors.js';
import type { AnalysedDevice, Analysis, BucketCount, Question } from '../analytics.types.js';
import { clockStretches } from '../../../shared/time/wall-clock.js';
import { type Totals, totalsOf } from '../domain/measures.js';
import { hasEdgeBefore, partsOf, type Span } from '../../../shared/time/quarters.js';
import { type Period, resolvePeriod } from '../domain/periods.js';
import { AnalyticsRepository } from './analytics.repository.js';
import type { CountsDivision } from './counts-sql.js';

const DEFAULT_ZONE = 'UTC';

/** A question with its time resolved, at one moment. */
export interface OpenedQuestion {
  readonly period: Period;
  readonly asOf: Date;
  /** Events are kept that were received since. */
  readonly keptSince: number;
}

/** Finds what time is asked about, and reads its counts. */
@Injectable()
export class CountsReader {
  constructor(
    private readonly repository: AnalyticsRepository,
    private readonly preferences: PreferencesService,
    private readonly config: AppConfig,
  ) {}

  /** @throws InvalidPeriodError, TooManyPointsError, PeriodNotKeptError */
  async open(question: Question): Promise<OpenedQuestion> {
    const [{ now, countedUntil }, timeZone] = await Promise.all([
      this.repository.findState(),
      question.timeZone ?? this.zoneOf(question.userId),
    ]);
    const period = resolvePeriod(question, timeZone, now.getTime());
    if (period === 'too_many_points') {
      throw new TooManyPointsError();
    }
    if (typeof period === 'string') {
      throw new InvalidPeriodError(period);
    }
    const keptSince = now.getTime() - this.config.retention.eventsMs;
    if (hasEdgeBefore(period, keptSince)) {
      throw new PeriodNotKeptError();
    }
    return { period, keptSince, asOf: countedUntil < now ? countedUntil : now };
  }

  /** The counts of the period: by its buckets, also by device, or by the clock of its zone. */
  async read(
    { period, keptSince }: OpenedQuestion,
    devices: readonly AnalysedDevice[],
    by: CountsDivision,
  ): Promise<BucketCount[]> {
    const { from, until, timeZone, bounds } = period;
    const division =
      by === 'clock'
        ? { by, stretches: [...clockStretches(from, until, timeZone)] }
        : { by, starts: bounds.slice(0, -1) };
    return this.repository.listCounts({ devices, ...partsOf(period), keptSince, division });
  }

  /** What was counted in the time that the period is compared with: where its events are gone, in whole quarters alone. */
  async readPrevious({ period, keptSince }: OpenedQuestion, devices: readonly AnalysedDevice[]): Promise<Totals> {
    const { whole, edges } = partsOf(period.previous);
    const kept = edges.filter((edge) => edge.from >= keptSince);
    const division = { by: 'bucket', starts: [period.previous.from] } as const;
    return totalsOf(await this.repository.listCounts({ devices, whole, edges: kept, keptSince, division }));
  }

  private async zoneOf(userId: string): Promise<string> {
    const { quietHours } = await this.preferences.get(userId);
    return quietHours?.timeZone ?? DEFAULT_ZONE;
  }
}

export function analysisOf({ period, asOf }: OpenedQuestion, rows: readonly BucketCount[]): Analysis {
  return { period, asOf, isHourly: rows.some(({ isHourly }) => isHourly) };
}

/** When a device is known in a time, of which its owner may see something; null: not at all. */
export function shownSpan(since: Date, { from, until }: Span, asOf: Date): Span | null {
  const span = { from: Math.max(from, since.getTime()), until: Math.min(until, asOf.getTime()) };
  return span.from < span.until ? span : null;
}
