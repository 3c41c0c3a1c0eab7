import type { EventType } from '../../../contracts/events.js';

/** How many events of a type and kind there were. */
export interface KindCount {
  readonly type: EventType;
  readonly kind: string;
  readonly count: number;
}

type Kinds = Readonly<Partial<Record<EventType, true | ((lock: string, door: string) => boolean)>>>;

/** What each figure counts: events of these types, of a door in these states. docs/analytics.md says what they mean. */
const COUNTED = {
  unlocks: { door_status_changed: (lock) => lock === 'unlocked' },
  locks: { door_status_changed: (lock) => lock === 'locked' },
  openings: { door_status_changed: (_lock, door) => door === 'open' || door === 'forced_open' },
  motions: { motion_detected: true },
  commands: { command_created: true },
  commandsExecuted: { command_executed: true },
  commandsFailed: { command_failed: true, command_timed_out: true, command_expired: true },
  lowBatteries: { low_battery: true },
  errors: { error_occurred: true },
  disconnections: { device_disconnected: true },
} as const satisfies Readonly<Record<string, Kinds>>;

/** `events`: all of them. */
export const MEASURES = ['events', ...(Object.keys(COUNTED) as (keyof typeof COUNTED)[])] as const;
export type Measure = (typeof MEASURES)[number];

export type Totals = Readonly<Record<Measure, number>>;

/** Whether events of a type and kind count for a figure. */
export function countsFor(measure: Measure, type: EventType, kind: string): boolean {
  if (measure === 'events') {
    return true;
  }
  const states = (COUNTED[measure] as Kinds)[type];
  const [lock = '', door = ''] = kind.split('/');
  return states === true || (states?.(lock, door) ?? false);
}

export function totalOf(measure: Measure, rows: readonly KindCount[]): number {
  return rows.reduce((sum, { type, kind, count }) => (countsFor(measure, type, kind) ? sum + count : sum), 0);
}

export function totalsOf(rows: readonly KindCount[]): Totals {
  return Object.fromEntries(MEASURES.map((measure) => [measure, totalOf(measure, rows)])) as unknown as Totals;
}

/** A figure for each point. */
export function valuesOf(
  measure: Measure,
  points: number,
  rows: readonly (KindCount & { bucket: number })[],
): number[] {
  const values = new Array<number>(points).fill(0);
  for (const { bucket, type, kind, count } of rows) {
    if (countsFor(measure, type, kind)) {
      values[bucket] = (values[bucket] ?? 0) + count;
    }
  }
  return values;
}

/** By how much a figure changed, in percent with one digit; null from nothing. */
export function changeOf(current: number, previous: number): number | null {
  return previous === 0 ? null : Math.round(((current - previous) / previous) * 1_000) / 10;
}

/** Part of the commands that ended which were executed, from 0 to 1; null where none ended. */
export function successRateOf({ commandsExecuted, commandsFailed }: Totals): number | null {
  const ended = commandsExecuted + commandsFailed;
  return ended === 0 ? null : Math.round((commandsExecuted / ended) * 10_000) / 10_000;
}
