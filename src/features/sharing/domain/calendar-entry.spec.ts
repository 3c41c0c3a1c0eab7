import { describe, expect, it } from '@jest/globals';
import { importRecurrence } from './recurrence-rule.js';

const BERLIN = 'TZID=Europe/Berlin';
const TIMES = [`DTSTART;${BERLIN}:20260105T090000`, `DTEND;${BERLIN}:20260105T170000`];
const RULE = 'RRULE:FREQ=WEEKLY;BYDAY=MO';
const MONDAYS = {
  from: new Date('2026-01-05T08:00:00Z'),
  until: null,
  schedule: { timeZone: 'Europe/Berlin', windows: [{ days: ['MO'], from: '09:00', until: '17:00' }] },
};
const ZONE = [
  ...['BEGIN:VTIMEZONE', 'TZID:Europe/Berlin'],
  ...['BEGIN:DAYLIGHT', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200', 'TZNAME:CEST', 'DTSTART:19700329T020000'],
  ...['RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU', 'END:DAYLIGHT'],
  ...['BEGIN:STANDARD', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100', 'TZNAME:CET', 'DTSTART:19701025T030000'],
  ...['RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU', 'END:STANDARD', 'END:VTIMEZONE'],
];

const text = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`;
const entry = (...lines: readonly string[]): string => text('BEGIN:VEVENT', ...lines, 'END:VEVENT');
const calendar = (...lines: readonly string[]): string => text('BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR');
const lower = (lines: readonly string[]): string[] =>
  lines.map((line) => line.toLowerCase().replace(/t(?=\d{6}$)/, 'T'));

const GOOGLE = calendar(
  ...['PRODID:-//Google Inc//Google Calendar 70.9054//EN', 'VERSION:2.0', 'CALSCALE:GREGORIAN', 'METHOD:PUBLISH'],
  ...['X-WR-TIMEZONE:Europe/Berlin', ...ZONE, 'BEGIN:VEVENT', ...TIMES, RULE, 'DTSTAMP:20251201T080000Z'],
  ...['UID:7kukuqrfedlm2f9t@google.com', 'CREATED:20251130T101500Z'],
  ...[String.raw`DESCRIPTION:See you\nRRULE:FREQ=DAILY\nBring the key\, pl`, ' ease', 'SEQUENCE:0'],
  ...['STATUS:CONFIRMED', 'SUMMARY:Cleaning', 'TRANSP:OPAQUE', 'END:VEVENT'],
);
const APPLE = calendar(
  ...['CALSCALE:GREGORIAN', 'PRODID:-//Apple Inc.//macOS 15.1//EN', 'VERSION:2.0', 'X-APPLE-CALENDAR-COLOR:#1BADF8'],
  ...['BEGIN:VEVENT', 'CREATED:20251130T101500Z', TIMES[1] ?? '', 'DTSTAMP:20251201T080000Z'],
  ...['LAST-MODIFIED:20251201T075959Z', RULE, 'SEQUENCE:1', 'SUMMARY:Cleaning', TIMES[0] ?? '', 'TRANSP:OPAQUE'],
  ...['UID:5E1B2F3C-6F0A-4D52-9B1C-0C7E5D6A7B8C', 'ORGANIZER;CN="Ada: home";EMAIL="a@b.example":mailto:a@b.example'],
  ...['X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Main St 1\\nBerlin":geo:', ' 52.5,13.4'],
  ...['X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC', 'BEGIN:VALARM', 'X-WR-ALARMUID:1', 'UID:1', 'TRIGGER:-PT15M'],
  ...['DESCRIPTION:Reminder', 'DURATION:PT5M', 'REPEAT:2', 'ACTION:DISPLAY', 'END:VALARM', 'END:VEVENT'],
);
const OUTLOOK = calendar(
  ...['PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN', 'VERSION:2.0', 'METHOD:REQUEST'],
  ...['X-MS-OLK-FORCEINSPECTOROPEN:TRUE', ...ZONE, 'BEGIN:VEVENT'],
  ...['ATTENDEE;CN="a:b";RSVP=TRUE:mailto:a@b.example', 'CLASS:PUBLIC'],
  ...[String.raw`DESCRIPTION:See you\n`, 'UID:040000008200E00074C5', ...TIMES, 'PRIORITY:5', RULE],
  ...['SUMMARY;LANGUAGE=en-us:Cleaning', 'X-MICROSOFT-CDO-BUSYSTATUS:BUSY', 'BEGIN:VALARM', 'TRIGGER:-PT15M'],
  ...['ACTION:DISPLAY', 'DESCRIPTION:Reminder', 'END:VALARM', 'END:VEVENT'],
);

describe('An entry of a calendar', () => {
  it.each([
    ['Google Calendar exports it', GOOGLE],
    ['Apple Calendar exports it', APPLE],
    ['Outlook exports it', OUTLOOK],
    ['its lines are ended by a line feed', GOOGLE.replaceAll('\r\n', '\n')],
    ['its lines are ended by a carriage return', GOOGLE.replaceAll('\r\n', '\r')],
    ['names are in small letters', calendar(...lower([...ZONE, 'BEGIN:VEVENT', ...TIMES, RULE, 'END:VEVENT']))],
    ['it has no calendar around it', text(...ZONE, 'BEGIN:VEVENT', ...TIMES, RULE, 'END:VEVENT')],
    ['its text has line breaks', entry(...TIMES, String.raw`DESCRIPTION:See you\nBring the key`, RULE)],
    ['it is without its frame', text(...TIMES, String.raw`LOCATION:Main St 1\nRRULE:FREQ=DAILY`, RULE)],
    ['text goes on in the next line', entry(...TIMES, 'DESCRIPTION:See', ' RRULE:FREQ=DAILY', '\tEND:VEVENT', RULE)],
    ['a text has a break that is none of the rest', entry(...TIMES, 'SUMMARY:See you\rRRULE:FREQ=DAILY', RULE)],
    ['a bare rule has line breaks out of JSON', [...TIMES, RULE].join(String.raw`\n`)],
    ['such breaks are two characters', [...TIMES, RULE].join(String.raw`\r\n`)],
  ])('is read where %s', (_, pasted) => {
    expect(importRecurrence(pasted)).toEqual(MONDAYS);
  });

  /** Seen to fail: the text of another person became a rule for ever. */
  it.each([
    ['DESCRIPTION', entry(...TIMES, String.raw`DESCRIPTION:See you\nRRULE:FREQ=DAILY\nX-NOTE:thanks`)],
    ['SUMMARY', text(...TIMES, String.raw`SUMMARY:See you\nRRULE:FREQ=DAILY\nX-NOTE:thanks`)],
    ['an alarm', entry(...TIMES, 'BEGIN:VALARM', 'RRULE:FREQ=DAILY', 'END:VALARM')],
    ['a time zone', text(...ZONE, 'BEGIN:VEVENT', ...TIMES, 'END:VEVENT')],
  ])('takes no rule out of %s', (_, pasted) => {
    expect(() => importRecurrence(pasted)).toThrow('no recurrence rule');
  });

  it.each([
    ['METHOD:CANCEL beside the entry cannot be taken', GOOGLE.replace('METHOD:PUBLISH', 'METHOD:CANCEL')],
    ['method:reply beside the entry cannot be taken', GOOGLE.replace('METHOD:PUBLISH', 'method:reply')],
    ['METHOD:CANCEL cannot be taken', text('METHOD:CANCEL', ...TIMES, RULE)],
    ['STATUS:CANCELLED cannot be taken', GOOGLE.replace('STATUS:CONFIRMED', 'STATUS:CANCELLED')],
    ['STATUS:cancelled cannot be taken', GOOGLE.replace('STATUS:CONFIRMED', 'status;x-a=b:cancelled')],
    ['CALSCALE:HEBREW beside', GOOGLE.replace('CALSCALE:GREGORIAN', 'CALSCALE:HEBREW')],
    ['must have one VEVENT, and has 2', entry(...TIMES, RULE) + entry(...TIMES, RULE)],
    ['must have one VEVENT, and has 0', calendar(...TIMES, RULE)],
    ['must have one VEVENT, and has 0', text(...ZONE, ...TIMES, RULE)],
    ['RRULE:FREQ=WEEKLY;BYDAY=MO beside the entry', calendar(RULE) + entry(...TIMES)],
    ['EXDATE:20260112T080000Z beside the entry', text('EXDATE:20260112T080000Z') + entry(...TIMES, RULE)],
    ['BEGIN:VTODO cannot be taken there', text('BEGIN:VTODO', ...TIMES, RULE, 'END:VTODO')],
    ['BEGIN:VEVENT cannot be taken there', entry(...TIMES, RULE, 'BEGIN:VEVENT', 'END:VEVENT')],
    ['BEGIN:VALARM cannot be taken there', text(...TIMES, RULE, 'BEGIN:VALARM', 'END:VALARM')],
    ['END:VEVENT is missing', text('BEGIN:VEVENT', ...TIMES, RULE)],
    ['END:VCALENDAR is not the end of VEVENT', text('BEGIN:VEVENT', ...TIMES, RULE, 'END:VCALENDAR')],
    ['END:VEVENT is not the end', text(...TIMES, RULE, 'END:VEVENT')],
    [String.raw`needs line breaks that are no \n`, ['BEGIN:VEVENT', ...TIMES, RULE, 'END:VEVENT'].join(String.raw`\n`)],
    ['only a rule without any text', [...TIMES, 'SUMMARY:Hello', RULE].join(String.raw`\n`)],
    ['no recurrence rule', text(`${TIMES[0] ?? ''}\r${TIMES[1] ?? ''}`, RULE)],
    ['RECURRENCE-ID cannot be said', entry(...TIMES, RULE, 'RECURRENCE-ID:20260105T080000Z')],
    ['TZID=W. Europe Standard Time is no IANA', OUTLOOK.replaceAll('Europe/Berlin', 'W. Europe Standard Time')],
  ])('is refused for this: %s', (reason, pasted) => {
    expect(() => importRecurrence(pasted)).toThrow(reason);
  });
});
