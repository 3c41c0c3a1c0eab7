import { RRuleTemporal } from 'rrule-temporal';
import { readCalendarEntry, RecurrenceError } from './calendar-entry.js';
import { nextOpenings } from './openings.js';
import { MAX_WINDOWS, WEEKDAYS, type Weekday, type WeeklySchedule, type WeeklyWindow } from './weekly-schedule.js';

/** Occurrences that are walked through to find the last one. */
const MAX_COUNT = 1_000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const ALWAYS = { permission: 'view', from: null, until: null, suspended: false, under: null } as const;
/** What the parts of a rule may be: the library passes over others. */
const RANGES = { BYHOUR: [0, 23], BYMINUTE: [0, 59], COUNT: [1, MAX_COUNT] } as const;
/** What no week repeats. */
const BEYOND_A_WEEK = [
  'bySetPos',
  'byMonth',
  'byMonthDay',
  'byYearDay',
  'byWeekNo',
  'bySecond',
  'exDate',
  'rDate',
  'rscale',
] as const;

type Options = ReturnType<RRuleTemporal['options']>;

/** The window and the weekly schedule that a recurrence rule stands for. */
export interface ImportedRecurrence {
  readonly from: Date;
  readonly until: Date | null;
  readonly schedule: WeeklySchedule;
}

/**
 * Reads a recurrence rule (RFC 5545, `DTSTART` and `RRULE`) whose occurrences last some minutes each as a weekly schedule.
 * @param durationMinutes may be left out where the text has `DTEND` or `DURATION`
 * @throws RecurrenceError for one that is malformed, or that no week repeats
 */
export function importRecurrence(text: string, durationMinutes?: number): ImportedRecurrence {
  const entry = readCalendarEntry(text, durationMinutes);
  const rule = parse(entry.rule);
  const options = rule.options();
  refuseUnlessWeekly(options);
  const schedule = { timeZone: options.tzid ?? 'UTC', windows: windowsOf(options, entry.durationMinutes) };
  return {
    from: new Date(options.dtstart.epochMilliseconds),
    until: endOf(rule, schedule, entry.durationMinutes),
    schedule,
  };
}

function refuseUnlessWeekly(options: Options): void {
  const { freq, interval } = options;
  if (freq !== 'WEEKLY' && freq !== 'DAILY') {
    throw new RecurrenceError(`FREQ=${freq} does not repeat by the week: only WEEKLY and DAILY do`);
  }
  if ((interval ?? 1) !== 1) {
    throw new RecurrenceError(`INTERVAL=${String(interval)} skips weeks or days: only 1 can be taken`);
  }
  const beyond = BEYOND_A_WEEK.find((part) => [options[part] ?? []].flat().length > 0);
  if (beyond) {
    throw new RecurrenceError(`${beyond.toUpperCase()} cannot be said by a weekly schedule`);
  }
}

function windowsOf({ dtstart, freq, byDay, byHour, byMinute }: Options, durationMinutes: number): WeeklyWindow[] {
  const ofStart = freq === 'DAILY' ? WEEKDAYS : [dayAt(dtstart.dayOfWeek)];
  const days = byDay?.length ? byDay.map(weekdayOf) : ofStart;
  const hours = byHour?.length ? byHour : [dtstart.hour];
  const minutes = byMinute?.length ? byMinute : [dtstart.minute];
  if (hours.length * minutes.length > MAX_WINDOWS) {
    throw new RecurrenceError(`it has more than ${String(MAX_WINDOWS)} times a day`);
  }
  return hours.flatMap((hour) => minutes.map((minute) => windowAt(days, hour * 60 + minute, durationMinutes)));
}

function parse(rule: string): RRuleTemporal {
  refuseOutOfRange(rule);
  try {
    return new RRuleTemporal({ rruleString: rule });
  } catch {
    throw new RecurrenceError('it is no recurrence rule of RFC 5545');
  }
}

function refuseOutOfRange(rule: string): void {
  for (const [part, [least, most]] of Object.entries(RANGES)) {
    const values = new RegExp(`${part}=([^;\\n]*)`, 'i').exec(rule)?.[1]?.split(',') ?? [];
    if (!values.every((value) => /^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= most)) {
      throw new RecurrenceError(`${part} takes whole numbers from ${String(least)} to ${String(most)}`);
    }
  }
}

/** When the last occurrence ends; null when none is the last. */
function endOf(rule: RRuleTemporal, schedule: WeeklySchedule, durationMinutes: number): Date | null {
  const { count, until } = rule.options();
  if (until) {
    const last = new Date(until.epochMilliseconds);
    const [opening] = nextOpenings({ ...ALWAYS, schedule }, last, 1);
    return opening && opening.from <= last ? opening.until : last;
  }
  if (count === undefined) {
    return null;
  }
  const last = rule.all().at(-1);
  if (!last) {
    throw new RecurrenceError('it has no occurrence');
  }
  return new Date(last.epochMilliseconds + durationMinutes * MINUTE_MS);
}

function weekdayOf(day: string): Weekday {
  const weekday = WEEKDAYS.find((one) => one === day);
  if (!weekday) {
    throw new RecurrenceError(`BYDAY=${day} does not come every week`);
  }
  return weekday;
}

function dayAt(isoDay: number): Weekday {
  return WEEKDAYS[(isoDay + 6) % 7] ?? 'MO';
}

function windowAt(days: readonly Weekday[], minute: number, durationMinutes: number): WeeklyWindow {
  const end = (minute + durationMinutes) % MINUTES_A_DAY;
  return { days, from: timeOf(minute), until: timeOf(end === 0 ? MINUTES_A_DAY : end) };
}

function timeOf(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
