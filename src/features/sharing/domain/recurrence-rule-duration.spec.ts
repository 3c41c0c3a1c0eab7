import { describe, expect, it } from '@jest/globals';
import { importRecurrence } from './recurrence-rule.js';

/** Seen to fail: DTEND was passed over, and 60 minutes came of it. */
describe('importRecurrence takes the time of an entry of a calendar', () => {
  const berlin = (time: string): string => `TZID=Europe/Berlin:${time}`;
  const windowOf = (lines: string[], minutes?: number): string => {
    const { schedule } = importRecurrence([...lines, 'RRULE:FREQ=WEEKLY'].join('\n'), minutes);
    return schedule.windows.map(({ days, from, until }) => `${days.join()} ${from} ${until}`).join();
  };

  it('as it is pasted', () => {
    const pasted = [
      ...['BEGIN:VEVENT', 'UID:1@example.com', 'DTSTAMP:20251201T080000Z', `DTSTART;${berlin('20260105T090000')}`],
      ...[
        `DTEND;${berlin('20260105T170000')}`,
        'SUMMARY:DTSTART of',
        '  the cleaning',
        'RRULE:FREQ=WEEKLY;',
        ' BYDAY=MO',
      ],
      ...['X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC', 'STATUS:CONFIRMED', 'END:VEVENT', ''],
    ].join('\r\n');
    expect(importRecurrence(pasted)).toEqual({
      from: new Date('2026-01-05T08:00:00Z'),
      until: null,
      schedule: { timeZone: 'Europe/Berlin', windows: [{ days: ['MO'], from: '09:00', until: '17:00' }] },
    });
    expect(importRecurrence(pasted, 480)).toEqual(importRecurrence(pasted));
    expect(() => importRecurrence(pasted, 60)).toThrow('60, where the rule says 480');
  });

  it.each([
    ['of a day', ['20260105T090000', `DTEND;${berlin('20260105T173000')}`], 'MO 09:00 17:30'],
    ['in another zone', ['20260105T090000', 'DTEND;TZID=America/New_York:20260105T110000'], 'MO 09:00 17:00'],
    ['in UTC', ['20260105T090000', 'DTEND:20260105T160000Z'], 'MO 09:00 17:00'],
    ['by a duration', ['20260105T090000', 'DURATION:PT7H30M'], 'MO 09:00 16:30'],
    ['by one in seconds', ['20260105T090000', 'DURATION:PT1800S'], 'MO 09:00 09:30'],
    ['of a whole day', ['20260105T000000', 'DURATION:P1D'], 'MO 00:00 24:00'],
    // Seven hours, and nine: the wall shows a night of eight.
    ['over clocks that are set forward', ['20260328T220000', `DTEND;${berlin('20260329T060000')}`], 'SA 22:00 06:00'],
    ['over clocks that are set back', ['20261024T220000', `DTEND;${berlin('20261025T060000')}`], 'SA 22:00 06:00'],
    ['the same in UTC', ['20260328T220000', 'DTEND:20260329T040000Z'], 'SA 22:00 06:00'],
  ])('%s', (_, [start = '', end = ''], window) => {
    expect(windowOf([`DTSTART;${berlin(start)}`, end])).toBe(window);
  });

  it.each([
    [[], 'missing: the rule has neither DTEND nor DURATION'],
    [[`DTEND;${berlin('20260105T090000')}`], 'DTEND must be later than DTSTART'],
    [[`DTEND;${berlin('20260104T170000')}`], 'DTEND must be later than DTSTART'],
    [['DTEND;TZID=Asia/Tokyo:20260105T170000'], 'DTEND must be later than DTSTART'],
    [[`DTEND;${berlin('20260106T090100')}`], 'longer than a day'],
    [['DTEND:20260105T170000'], 'DTEND must name its zone'],
    [['DTEND;VALUE=DATE:20260106'], 'DTEND must name its zone'],
    [['DTEND;TZID=Mars/Base:20260105T170000'], 'TZID=Mars/Base is no IANA'],
    [[`DTEND;${berlin('20260105T170030')}`], 'DTEND must be at a full minute'],
    [[`DTEND;${berlin('20260105T170000')}`, 'DURATION:PT8H'], 'give one of them'],
    [['DURATION:PT0M'], 'DURATION is nothing'],
    [['DURATION:P1W'], 'DURATION must be days, hours and full minutes'],
    [['DURATION:-PT1H'], 'DURATION must be'],
    [['DURATION:PT90S'], 'DURATION must be'],
    [['DURATION:P1DT1M'], 'longer than a day'],
  ])('and refuses %j', (lines, reason) => {
    expect(() => windowOf([`DTSTART;${berlin('20260105T090000')}`, ...lines])).toThrow(reason);
  });
});
