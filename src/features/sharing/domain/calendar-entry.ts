import { canonicalInstant } from '../../../shared/instant.js';
import { canonicalTimeZone } from '../../../shared/time-zone.js';
import { type CalendarLine, malformed, readLines, readParts, refuse, refuseOthers } from './calendar-lines.js';
import { firstInstantShowing, shownAt } from '../../../shared/time/wall-clock.js';

const MINUTE_S = 60;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const PROPERTIES = ['DTSTART', 'RRULE', 'DTEND', 'DURATION'];
/** What is passed over only with a value by which the entry takes place: one that is cancelled opens nothing. */
const STATES = ['STATUS', 'METHOD', 'CALSCALE'];
/** What says nothing of when an entry is. */
const PASSED_OVER =
  /^(?:(?:STATUS:CONFIRMED|METHOD:(?:PUBLISH|REQUEST)|CALSCALE:GREGORIAN)$|(?:SUMMARY|DESCRIPTION|LOCATION|UID|DTSTAMP|CREATED|LAST-MODIFIED|SEQUENCE|TRANSP|CLASS|CATEGORIES|PRIORITY|URL|ORGANIZER|ATTENDEE|VERSION|PRODID|X-[\w-]+)[:;])/i;
const DURATION = /^\+?P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,6})S)?)?$/;

/** A time that an entry names, by the clock on the wall, read as if it were UTC. */
export interface WallTime {
  readonly shown: number;
  readonly timeZone: string;
}

/** What an entry of a calendar says of its time. */
export interface CalendarEntry {
  readonly start: WallTime;
  /** The parts of `RRULE`, by their names. */
  readonly parts: ReadonlyMap<string, string>;
  readonly durationMinutes: number;
}

/**
 * Reads an entry of a calendar (RFC 5545): `DTSTART`, `RRULE`, and `DTEND` or `DURATION`. How long it is is told by the clock on the
 * wall, as its window is: a night from 22:00 to 06:00 is that also when the clocks are set.
 * @param durationMinutes must be what the entry says of it, and may be left out then
 * @throws RecurrenceError for what it cannot be read as
 */
export function readCalendarEntry(text: string, durationMinutes?: number): CalendarEntry {
  const lines = readLines(text, PASSED_OVER);
  const state = STATES.find((name) => lines.has(name));
  if (state !== undefined) {
    refuse(`${state}:${String(lines.get(state)?.value).slice(0, 40)} cannot be taken`);
  }
  refuseOthers(lines.keys(), PROPERTIES);
  const start = wallTimeOf('DTSTART', lines.get('DTSTART'));
  const rule = lines.get('RRULE');
  return {
    start,
    parts: rule?.parameters.size === 0 ? readParts(rule.value) : malformed(),
    durationMinutes: agreed(declaredDuration(lines.get('DTEND'), lines.get('DURATION'), start), durationMinutes),
  };
}

/** A time as calendars write it, read as if it were UTC; null for one that does not exist. */
export function calendarTime(text: string): number | null {
  const written = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(text);
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = written ?? [];
  const instant = canonicalInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return instant === null ? null : Date.parse(instant);
}

function wallTimeOf(property: string, line: CalendarLine | undefined): WallTime {
  const { parameters, value } = line ?? { parameters: new Map<string, string>(), value: '' };
  const zone = parameters.get('TZID');
  const isOfKnownKind = [...parameters].every(
    ([name, kind]) => name === 'TZID' || `${name}=${kind}` === 'VALUE=DATE-TIME',
  );
  // A time without a zone would be another one for each reader.
  if (!isOfKnownKind || (zone !== undefined) === value.endsWith('Z')) {
    refuse(`${property} must name its zone: ${property};TZID=Europe/Berlin:20260105T090000, or end in Z`);
  }
  const timeZone = zone === undefined ? 'UTC' : canonicalTimeZone(zone);
  const shown = calendarTime(value.replace(/Z$/, ''));
  if (timeZone === null) {
    return refuse(`TZID=${String(zone)} is no IANA time zone name, such as Europe/Berlin`);
  }
  if (shown === null) {
    return refuse(`${property} is no time from 1970 to 9999`);
  }
  if (shown % MINUTE_MS !== 0) {
    return refuse(`${property} must be at a full minute`);
  }
  return shownAt(firstInstantShowing(shown, timeZone), timeZone) === shown
    ? { shown, timeZone }
    : refuse(`${property} is at a time that does not exist: clocks are set forward over it`);
}

function declaredDuration(
  end: CalendarLine | undefined,
  duration: CalendarLine | undefined,
  start: WallTime,
): number | undefined {
  if (end !== undefined && duration !== undefined) {
    refuse('DTEND and DURATION say the same: give one of them');
  }
  if (end !== undefined) {
    return bounded(minutesUntil(start, wallTimeOf('DTEND', end)), 'DTEND must be later than DTSTART');
  }
  return duration && bounded(minutesOf(duration), 'DURATION is nothing');
}

function bounded(minutes: number, ifNone: string): number {
  if (minutes <= 0) {
    refuse(ifNone);
  }
  return minutes > MINUTES_A_DAY ? refuse('it lasts longer than a day') : minutes;
}

function minutesUntil(start: WallTime, end: WallTime): number {
  const shown =
    end.timeZone === start.timeZone ? end.shown : shownAt(firstInstantShowing(end.shown, end.timeZone), start.timeZone);
  return (shown - start.shown) / MINUTE_MS;
}

function minutesOf({ parameters, value }: CalendarLine): number {
  const [found, ...parts] = DURATION.exec(value) ?? [];
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part: string | undefined) => Number(part ?? 0));
  if (found === undefined || parameters.size > 0 || seconds % MINUTE_S !== 0) {
    refuse('DURATION must be days, hours and full minutes: DURATION:PT8H30M');
  }
  return days * MINUTES_A_DAY + hours * 60 + minutes + seconds / MINUTE_S;
}

function agreed(declared: number | undefined, given: number | undefined): number {
  if (declared !== undefined && given !== undefined && declared !== given) {
    refuse(`${String(given)}, where the rule says ${String(declared)}`, 'durationMinutes');
  }
  return declared ?? given ?? refuse('missing: the rule has neither DTEND nor DURATION', 'durationMinutes');
}
