import { describe, expect, it } from '@jest/globals';
import { importRecurrence } from './recurrence-rule.js';

const START = 'DTSTART;TZID=Europe/Berlin:20260105T090000';

describe('importRecurrence', () => {
  it('reads a weekly rule as windows from its start on', () => {
    expect(importRecurrence(`${START}\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE`, 480)).toEqual({
      from: new Date('2026-01-05T08:00:00Z'),
      until: null,
      schedule: { timeZone: 'Europe/Berlin', windows: [{ days: ['MO', 'WE'], from: '09:00', until: '17:00' }] },
    });
  });

  it('ends with the last occurrence by number, at the date, or with the occurrence that is under way then, whatever the clocks did meanwhile', () => {
    const weeks = importRecurrence(`${START}\r\nRRULE:FREQ=WEEKLY;COUNT=13`, 60);
    expect(weeks.until).toEqual(new Date('2026-03-30T08:00:00Z'));
    const until = importRecurrence(`${START}\nRRULE:FREQ=DAILY;UNTIL=20260110T120000Z`, 60);
    expect(until.until).toEqual(new Date('2026-01-10T12:00:00Z'));
    expect(until.schedule.windows[0]?.days).toHaveLength(7);
    const during = importRecurrence(`${START}\nRRULE:FREQ=DAILY;UNTIL=99990110T080000Z`, 60);
    expect(during.until).toEqual(new Date('9999-01-10T09:00:00Z'));
  });

  it('reads a zone in any case, and a line break as JSON writes it', () => {
    const rule = String.raw`DTSTART;TZID=europe/BERLIN:20260105T090000\nRRULE:FREQ=WEEKLY`;
    expect(importRecurrence(rule, 60).schedule.timeZone).toBe('Europe/Berlin');
  });

  it('takes several times a day, nights, and whole days', () => {
    const twice = importRecurrence(`${START}\nRRULE:FREQ=WEEKLY;BYDAY=FR;BYHOUR=8,20;BYMINUTE=30`, 600);
    expect(twice.schedule.windows).toEqual([
      { days: ['FR'], from: '08:30', until: '18:30' },
      { days: ['FR'], from: '20:30', until: '06:30' },
    ]);
    expect(importRecurrence(`${START}\nRRULE:FREQ=WEEKLY`, 1_440).schedule.windows).toEqual([
      { days: ['MO'], from: '09:00', until: '09:00' },
    ]);
    expect(importRecurrence('DTSTART:20260105T200000Z\nRRULE:FREQ=DAILY', 240).schedule).toMatchObject({
      timeZone: 'UTC',
      windows: [{ from: '20:00', until: '24:00' }],
    });
  });

  it.each([
    ['RRULE:FREQ=DAILY', 'DTSTART must name its zone'],
    ['DTSTART:20260105T090000\nRRULE:FREQ=DAILY', 'DTSTART must name its zone'],
    [`${START}\nRRULE:FREQ=MONTHLY`, 'FREQ=MONTHLY'],
    [`${START}\nRRULE:FREQ=WEEKLY;INTERVAL=2`, 'INTERVAL=2'],
    [`${START}\nRRULE:FREQ=WEEKLY;BYDAY=1MO`, 'BYDAY=1MO'],
    [`${START}\nRRULE:FREQ=DAILY;BYMONTH=7`, 'BYMONTH'],
    [`${START}\nRRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20260106T090000`, 'EXDATE'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=100000`, 'COUNT takes whole numbers from 1 to 1000'],
    ['DTSTART;TZID=Mars/Base:20260105T090000\nRRULE:FREQ=DAILY', 'TZID=Mars/Base is no IANA time zone'],
    ['DTSTART;TZID="W. Europe Standard Time":20260105T090000\nRRULE:FREQ=DAILY', 'W. Europe Standard Time is no IANA'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=-5`, 'COUNT takes'],
    [`${START}\nRRULE:FREQ=DAILY;BYHOUR=25`, 'BYHOUR takes whole numbers from 0 to 23'],
    [`${START}\nRRULE:FREQ=DAILY;BYMINUTE=-1`, 'BYMINUTE takes'],
    [
      `${START}\nRRULE:FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join(',')};UNTIL=20270101T000000Z`,
      'more than 21 times a day',
    ],
    [`${START}\nRRULE:hello`, 'no recurrence rule'],
  ])('refuses %j and says why', (rule, reason) => {
    expect(() => importRecurrence(rule, 60)).toThrow(reason);
  });

  it('refuses one that is too long', () => {
    expect(() => importRecurrence(`${START}\n${'X'.repeat(1_000)}`, 60)).toThrow('at most 1000 characters');
  });
});
