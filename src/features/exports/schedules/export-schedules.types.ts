import type { ExportRequest } from '../exports.types.js';

export const SCHEDULE_PERIODS = ['daily', 'weekly', 'monthly'] as const;
export type SchedulePeriod = (typeof SCHEDULE_PERIODS)[number];

/** An export that is made again and again, of the day, week (from Monday) or month that has just ended. */
export interface NewExportSchedule extends Omit<ExportRequest, 'from' | 'until'> {
  readonly every: SchedulePeriod;
  /** `HH:MM`, by the clock of the zone. */
  readonly at: string;
}

export interface ExportSchedule extends NewExportSchedule {
  readonly id: string;
  readonly userId: string;
  readonly nextAt: Date;
  readonly createdAt: Date;
}

/** A schedule whose time has come, with the period that it is about. */
export interface DueSchedule extends ExportSchedule {
  readonly dueAt: Date;
  readonly from: Date;
  readonly until: Date;
}
