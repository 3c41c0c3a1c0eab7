import { clockStretches, shownAt } from '../../../shared/time/wall-clock.js';

/** Days as RFC 5545 names them, Monday first. */
export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** More than anyone draws by hand. */
export const MAX_WINDOWS = 21;

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const MINUTES_A_WEEK = 7 * MINUTES_A_DAY;
export const WEEK_MS = MINUTES_A_WEEK * MINUTE_MS;
/** 1970 began on a Thursday. */
export const FIRST_MONDAY = 4 * MINUTES_A_DAY * MINUTE_MS;

/** What was made of schedules while they are in use: each is asked several times. */
const WEEKS = new WeakMap<WeeklySchedule, Stretch[]>();

/** One stretch of the week. `until` at or before `from` lies on the next day: 22:00 to 06:00 is a night. */
export interface WeeklyWindow {
  readonly days: readonly Weekday[];
  /** `HH:MM`, included. */
  readonly from: string;
  /** `HH:MM` or `24:00`, not included. */
  readonly until: string;
}

/** When a share opens, by the clock on the wall of a place. Without windows it never does. */
export interface WeeklySchedule {
  /** IANA name. */
  readonly timeZone: string;
  readonly windows: readonly WeeklyWindow[];
}

/** From one instant until another, in milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

/**
 * Whether a schedule is open at an instant. It is judged by the clock on the wall alone: a time that the change of clocks skips
 * does not exist, so that a window which begins in it opens at its end; one that comes twice is open twice.
 */
export function isOpenAt({ timeZone, windows }: WeeklySchedule, instant: Date): boolean {
  const minute = Math.floor((shownAt(instant.getTime(), timeZone) - FIRST_MONDAY) / MINUTE_MS);
  const ofWeek = modulo(minute, MINUTES_A_WEEK);
  return windows.some((window) =>
    startsOf(window).some((start) => modulo(ofWeek - start, MINUTES_A_WEEK) < lengthOf(window)),
  );
}

/** Whether there is no minute of the week at which it is closed. */
export function isAlwaysOpen(schedule: WeeklySchedule): boolean {
  const [first] = weekOf(schedule);
  return first !== undefined && first.until - first.from === MINUTES_A_WEEK;
}

/**
 * When all of some schedules are open between two instants, in order; stretches that meet are not joined. While no clock is set, this
 * repeats by the week: so a week in which there is nothing is found empty once.
 */
export function* openStretches(schedules: readonly WeeklySchedule[], from: number, until: number): Generator<Stretch> {
  const weeks = weeksByZone(schedules);
  if ([...weeks.values()].some((week) => week.length === 0)) {
    return;
  }
  const known = new Map<string, Stretch[]>();
  for (const clocks of clocksOf([...weeks.keys()], from, until)) {
    const key = clocks.offsets.join();
    const week =
      known.get(key) ??
      [...weeks.values()]
        .map((shown, zone) => wrapped(shown, -Math.round((clocks.offsets[zone] ?? 0) / MINUTE_MS)))
        .reduce(intersection);
    known.set(key, week);
    if (week.length > 0) {
      yield* repeated(week, clocks);
    }
  }
}

/** A time during which no clock of some zones is set, with what each shows. */
interface ClocksStretch extends Stretch {
  readonly offsets: readonly number[];
}

function* clocksOf(zones: readonly string[], from: number, until: number): Generator<ClocksStretch> {
  const [zone, ...others] = zones;
  if (zone === undefined) {
    yield { from, until, offsets: [] };
    return;
  }
  for (const clock of clockStretches(from, until, zone)) {
    for (const { offsets, ...stretch } of clocksOf(others, clock.from, clock.until)) {
      yield { ...stretch, offsets: [clock.offset, ...offsets] };
    }
  }
}

function* repeated(week: readonly Stretch[], { from, until }: Stretch): Generator<Stretch> {
  const firstMonday = Math.floor((from - FIRST_MONDAY) / WEEK_MS) * WEEK_MS + FIRST_MONDAY;
  for (let monday = firstMonday; monday < until; monday += WEEK_MS) {
    for (const minutes of week) {
      const open = Math.max(monday + minutes.from * MINUTE_MS, from);
      const close = Math.min(monday + minutes.until * MINUTE_MS, until);
      if (open < close) {
        yield { from: open, until: close };
      }
    }
  }
}

/** The minutes of the week, by the clock of each zone, at which all schedules in it are open. */
function weeksByZone(schedules: readonly WeeklySchedule[]): Map<string, Stretch[]> {
  const weeks = new Map<string, Stretch[]>();
  for (const schedule of schedules) {
    const week = weekOf(schedule);
    const other = weeks.get(schedule.timeZone);
    weeks.set(schedule.timeZone, other ? intersection(other, week) : week);
  }
  return weeks;
}

/** The windows as minutes of the week, from 0, in order, those that overlap or meet as one. */
function weekOf(schedule: WeeklySchedule): Stretch[] {
  const known = WEEKS.get(schedule);
  if (known) {
    return known;
  }
  const all = schedule.windows.flatMap((window) => {
    const length = lengthOf(window);
    return startsOf(window).map((from) => ({ from, until: from + length }));
  });
  const week = wrapped(all, 0);
  WEEKS.set(schedule, week);
  return week;
}

/** Minutes of a week as those of one that begins later or earlier, in order, those that overlap or meet as one. */
function wrapped(minutes: readonly Stretch[], shift: number): Stretch[] {
  const all = minutes
    .flatMap(({ from, until }) => {
      const begin = modulo(from + shift, MINUTES_A_WEEK);
      const end = begin + until - from;
      return end <= MINUTES_A_WEEK
        ? [{ from: begin, until: end }]
        : [
            { from: 0, until: end - MINUTES_A_WEEK },
            { from: begin, until: MINUTES_A_WEEK },
          ];
    })
    .sort((a, b) => a.from - b.from);
  const merged: { from: number; until: number }[] = [];
  for (const one of all) {
    const last = merged.at(-1);
    if (last && one.from <= last.until) {
      last.until = Math.max(last.until, one.until);
    } else {
      merged.push(one);
    }
  }
  return merged;
}

function intersection(some: readonly Stretch[], others: readonly Stretch[]): Stretch[] {
  const both: Stretch[] = [];
  for (let i = 0, j = 0; i < some.length && j < others.length;) {
    const [one, other] = [some[i], others[j]] as [Stretch, Stretch];
    const from = Math.max(one.from, other.from);
    const until = Math.min(one.until, other.until);
    if (from < until) {
      both.push({ from, until });
    }
    if (one.until <= other.until) {
      i += 1;
    } else {
      j += 1;
    }
  }
  return both;
}

function startsOf({ days, from }: WeeklyWindow): number[] {
  const minute = minutesOf(from);
  return days.map((day) => WEEKDAYS.indexOf(day) * MINUTES_A_DAY + minute);
}

function lengthOf({ from, until }: WeeklyWindow): number {
  const length = minutesOf(until) - minutesOf(from);
  return length > 0 ? length : length + MINUTES_A_DAY;
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
