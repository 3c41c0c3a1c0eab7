import { RRuleTemporal } from 'rrule-temporal';
import { canonicalTimeZone } from '../../../shared/time-zone.js';

type ZonedTime = ReturnType<RRuleTemporal['options']>['dtstart'];

const MAX_LENGTH = 1_000;
const MINUTES_A_DAY = 24 * 60;
const MINUTE_S = 60;
const PROPERTIES = ['DTSTART', 'RRULE', 'DTEND', 'DURATION'] as const;
type Property = (typeof PROPERTIES)[number];
/** What says nothing of when an entry is. */
const PASSED_OVER =
  /^(?:(?:BEGIN|END):V(?:EVENT|CALENDAR)$|STATUS:CONFIRMED$|(?:SUMMARY|DESCRIPTION|LOCATION|UID|DTSTAMP|CREATED|LAST-MODIFIED|SEQUENCE|TRANSP|CLASS|CATEGORIES|PRIORITY|URL|ORGANIZER|ATTENDEE|VERSION|PRODID|CALSCALE|METHOD|X-[\w-]+)[:;])/i;
const TIME = /^[A-Z]+(?:;TZID="?([^":]+)"?)?:(\d{8}T\d{6})(Z?)$/;
const DURATION = /^DURATION:\+?P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,6})S)?)?$/;

/** Why a rule cannot be a weekly schedule, in words for its author, and which member of the request is at fault. */
export class RecurrenceError extends Error {
  constructor(
    message: string,
    readonly member: 'rule' | 'durationMinutes' = 'rule',
  ) {
    super(message);
  }
}

/** What an entry of a calendar says of its time. */
export interface CalendarEntry {
  readonly start: ZonedTime;
  /** `DTSTART` in the spelling of its zone, and `RRULE`. */
  readonly rule: string;
  readonly durationMinutes: number;
}

/**
 * Reads an entry of a calendar (RFC 5545): `DTSTART`, `RRULE`, and `DTEND` or `DURATION`. How long it is is told by the clock on the
 * wall, as its window is: a night from 22:00 to 06:00 is that also when the clocks are set.
 * @param durationMinutes must be what the entry says of it, and may be left out then
 * @throws RecurrenceError for what it cannot be read as
 */
export function readCalendarEntry(text: string, durationMinutes?: number): CalendarEntry {
  const lines = linesOf(text);
  const line = withKnownZone('DTSTART', lines.get('DTSTART') ?? '');
  const start = timeOf('DTSTART', line);
  return {
    start,
    rule: `${line}\n${lines.get('RRULE') ?? ''}`,
    durationMinutes: agreed(declaredDuration(lines, start), durationMinutes),
  };
}

/** Each property once; another one that says something of the time is refused by its name. */
function linesOf(text: string): Map<Property, string> {
  // A line break that was pasted out of a JSON document may be its escape; one before a blank only folds a line.
  const unfolded = text
    .trim()
    .replaceAll(/\\n|\r\n?/g, '\n')
    .replaceAll(/\n[ \t]/g, '');
  if (unfolded.length > MAX_LENGTH) {
    throw new RecurrenceError(`a rule has at most ${String(MAX_LENGTH)} characters`);
  }
  const lines = new Map<Property, string>();
  for (const line of unfolded.split('\n').map((each) => each.trim())) {
    if (line !== '' && !PASSED_OVER.test(line)) {
      const name = line.split(/[:;]/, 1)[0]?.slice(0, 40) ?? '';
      const property = PROPERTIES.find((one) => one === name);
      if (!property) {
        throw new RecurrenceError(`${name} cannot be said by a weekly schedule`);
      }
      if (lines.has(property)) {
        throw new RecurrenceError(`${property} is there twice`);
      }
      lines.set(property, line);
    }
  }
  return lines;
}

/** A time without a zone would be another one for each reader. */
function withKnownZone(property: Property, line: string): string {
  const [, zone, time, isUtc] = TIME.exec(line) ?? [];
  if (time === undefined || (zone === undefined && !isUtc)) {
    throw new RecurrenceError(
      `${property} must name its zone: ${property};TZID=Europe/Berlin:20260105T090000, or end in Z`,
    );
  }
  const known = zone === undefined ? null : canonicalTimeZone(zone);
  if (zone !== undefined && known === null) {
    throw new RecurrenceError(`TZID=${zone} is no IANA time zone name, such as Europe/Berlin`);
  }
  return known === null ? line : `${property};TZID=${known}:${time}`;
}

/** @param line of `DTSTART` or `DTEND`, whose zone is known */
function timeOf(property: Property, line: string): ZonedTime {
  const [, , written = ''] = TIME.exec(line) ?? [];
  let time: ZonedTime;
  try {
    const rruleString = `${line.replace(property, 'DTSTART')}\nRRULE:FREQ=DAILY`;
    time = new RRuleTemporal({ rruleString }).options().dtstart;
  } catch {
    throw new RecurrenceError(`${property} is no time`);
  }
  if (time.toPlainDateTime().toString().replaceAll(/[-:]/g, '') !== written) {
    throw new RecurrenceError(`${property} is at a time that does not exist: clocks are set forward over it`);
  }
  if (time.second !== 0) {
    throw new RecurrenceError(`${property} must be at a full minute`);
  }
  return time;
}

function declaredDuration(lines: ReadonlyMap<Property, string>, start: ZonedTime): number | undefined {
  const [end, duration] = [lines.get('DTEND'), lines.get('DURATION')];
  if (end !== undefined && duration !== undefined) {
    throw new RecurrenceError('DTEND and DURATION say the same: give one of them');
  }
  if (end !== undefined) {
    return bounded(minutesUntil(start, end), 'DTEND must be later than DTSTART');
  }
  return duration === undefined ? undefined : bounded(minutesOf(duration), 'DURATION is nothing');
}

function bounded(minutes: number, ifNone: string): number {
  if (minutes <= 0) {
    throw new RecurrenceError(ifNone);
  }
  if (minutes > MINUTES_A_DAY) {
    throw new RecurrenceError('it lasts longer than a day');
  }
  return minutes;
}

function minutesUntil(start: ZonedTime, line: string): number {
  const end = timeOf('DTEND', withKnownZone('DTEND', line)).withTimeZone(start.timeZoneId);
  return start.toPlainDateTime().until(end.toPlainDateTime()).total('minutes');
}

function minutesOf(line: string): number {
  const [found, ...parts] = DURATION.exec(line) ?? [];
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part: string | undefined) => Number(part ?? 0));
  if (found === undefined || seconds % MINUTE_S !== 0) {
    throw new RecurrenceError('DURATION must be days, hours and full minutes: DURATION:PT8H30M');
  }
  return days * MINUTES_A_DAY + hours * 60 + minutes + seconds / MINUTE_S;
}

function agreed(declared: number | undefined, given: number | undefined): number {
  if (declared === undefined && given === undefined) {
    throw new RecurrenceError('missing: the rule has neither DTEND nor DURATION', 'durationMinutes');
  }
  if (declared !== undefined && given !== undefined && declared !== given) {
    throw new RecurrenceError(`${String(given)}, where the rule says ${String(declared)}`, 'durationMinutes');
  }
  return declared ?? given ?? 0;
}
