import type { DeviceStatus } from '../../contracts/devices.js';
import type { KindCount, Measure, Totals } from './domain/measures.js';
import type { AskedPeriod, Period } from './domain/periods.js';

/** A device, as far as an analysis knows it. */
export interface AnalysedDevice {
  readonly id: string;
  readonly name: string;
  /** What happened before, or came from before, belongs to an earlier owner; null: it never had another one. */
  readonly since: Date | null;
}

/** A course or a count, and the time it is about. */
export interface Question extends AskedPeriod {
  readonly userId: string;
  /** That of the person when it is left out. */
  readonly timeZone?: string;
}

/** What is known of the log and the clock. */
export interface CountingState {
  readonly now: Date;
  /** All events that were received before are counted. */
  readonly countedUntil: Date;
}

/** Counts of one bucket, or device and bucket. */
export interface BucketCount extends KindCount {
  readonly bucket: number;
  readonly device: string | null;
  /** Part of it was counted by whole hours. */
  readonly isHourly: boolean;
}

/** How long a device was offline in a bucket. */
export interface OfflineTime {
  readonly device: string;
  readonly bucket: number;
  /** That began in the bucket, or before the first one. */
  readonly periods: number;
  readonly seconds: number;
}

export interface LiveFacts {
  readonly inFlight: number;
  readonly recent: readonly KindCount[];
}

/** What an answer is about, and how fresh it is. */
export interface Analysis {
  readonly period: Period;
  readonly asOf: Date;
  readonly isHourly: boolean;
}

export interface NamedSeries {
  readonly name: string;
  readonly deviceId?: string;
  readonly unit: 'events' | 'seconds';
  readonly values: readonly number[];
}

export interface Course extends Analysis {
  readonly series: readonly NamedSeries[];
}

export interface Comparable {
  readonly totals: Totals;
  readonly previous: Totals;
}

export interface Usage extends Course, Comparable {
  /** Of the day in the zone, with the most events; null where there are none. */
  readonly peakHour: { readonly hour: number; readonly events: number } | null;
}

export interface Dashboard extends Analysis, Comparable {
  readonly devices: Readonly<Partial<Record<DeviceStatus, number>>>;
}

export interface Distribution extends Analysis {
  readonly byType: readonly { readonly type: string; readonly events: number }[];
  /** Events by the hour of the day. */
  readonly byHour: readonly number[];
  /** From Monday on. */
  readonly byWeekday: readonly number[];
}

export interface Ranking extends Analysis {
  readonly items: readonly { readonly deviceId: string; readonly name: string; readonly count: number }[];
}

export interface OfflineReport extends Course {
  readonly items: readonly {
    readonly deviceId: string;
    readonly name: string;
    readonly seconds: number;
    readonly periods: number;
    /** From 0 to 100; null for one that was never online, and where the time holds nothing of it. */
    readonly uptimePercent: number | null;
  }[];
}

export interface Live extends LiveFacts {
  readonly devices: Readonly<Partial<Record<DeviceStatus, number>>>;
  readonly asOf: Date;
}

export type RankedMeasure = Extract<Measure, 'unlocks' | 'openings'>;
