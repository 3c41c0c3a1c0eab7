import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RRuleTemporal } from 'rrule-temporal';
import { seededRandom } from '../../../../test/support/seeded-random.js';
import { isInstant } from '../../../shared/instant.js';
import { RecurrenceError } from './calendar-lines.js';
import { nextOpenings, type Opening } from './openings.js';
import { importRecurrence } from './recurrence-rule.js';
import { WEEKDAYS } from './weekly-schedule.js';

const START = 'DTSTART;TZID=Europe/Berlin:20260105T090000';
const MINUTE_MS = 60_000;

/** When occurrences are under way, by a library that unrolls the rule. */
function unrolled(rule: string, durationMinutes: number): Opening[] {
  const all: { from: Date; until: Date }[] = [];
  for (const { epochMilliseconds } of new RRuleTemporal({ rruleString: rule }).all()) {
    const [from, until] = [new Date(epochMilliseconds), new Date(epochMilliseconds + durationMinutes * MINUTE_MS)];
    const last = all.at(-1);
    if (last && last.until >= from) {
      last.until = until;
    } else {
      all.push({ from, until });
    }
  }
  return all;
}

const aRule = fc
  .record({
    zone: fc.constantFrom('UTC', 'Asia/Kathmandu', 'Europe/Berlin'),
    day: fc.integer({ min: 1, max: 28 }),
    time: fc.constantFrom('000000', '093000', '221500', '235900'),
    freq: fc.constantFrom('DAILY', 'WEEKLY'),
    days: fc.subarray([...WEEKDAYS]),
    hours: fc.subarray([0, 7, 9, 22, 23]),
    minutes: fc.subarray([0, 15, 59]),
    end: fc.oneof(
      fc.integer({ min: 1, max: 5 }).map((count) => `;COUNT=${String(count)}`),
      fc.integer({ min: 10, max: 28 }).map((day) => `;UNTIL=202602${String(day)}T223000Z`),
      fc.integer({ min: 10, max: 28 }).map((day) => `;UNTIL=202602${String(day)}`),
    ),
  })
  .map(({ zone, day, time, freq, days, hours, minutes, end }) => {
    const list = (part: string, values: readonly (string | number)[]): string =>
      values.length > 0 ? `;${part}=${values.join(',')}` : '';
    const by = list('BYDAY', days) + list('BYHOUR', hours) + list('BYMINUTE', minutes);
    return `DTSTART;TZID=${zone}:202601${String(day).padStart(2, '0')}T${time}\nRRULE:FREQ=${freq}${by}${end}`;
  });

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

  it('is open while an occurrence is under way, and at no other time', () => {
    fc.assert(
      fc.property(aRule, fc.constantFrom(1, 60, 500, 1_440), (rule, durationMinutes) => {
        const expected = unrolled(rule, durationMinutes);
        const { from, until, schedule } = importRecurrence(rule, durationMinutes);
        const share = { permission: 'view', from, until, schedule, suspended: false, under: null } as const;
        expect([rule, nextOpenings(share, new Date(0), 1_000)]).toEqual([rule, expected]);
      }),
      { numRuns: 100 },
    );
  });

  it('ends also what has no pause between its occurrences', () => {
    expect(importRecurrence(`${START}\nRRULE:FREQ=DAILY;UNTIL=20260110T120000Z`, 1_440).until).toEqual(
      new Date('2026-01-11T08:00:00Z'),
    );
  });

  it('begins with the first occurrence, and not with a window of the day before', () => {
    const evening = importRecurrence('DTSTART;TZID=Europe/Berlin:20260106T070000\nRRULE:FREQ=DAILY;BYHOUR=22', 600);
    expect(evening.from).toEqual(new Date('2026-01-06T21:00:00Z'));
  });

  it('counts an hour that comes twice once, and one that is skipped as well', () => {
    const nights = 'DTSTART;TZID=Europe/Berlin:20261024T023000\nRRULE:FREQ=DAILY';
    expect(importRecurrence(`${nights};COUNT=2`, 60).until).toEqual(new Date('2026-10-25T02:30:00Z'));
    // The wall shows 02:15 for the second time, and the occurrence of 02:30 began in the hour before.
    expect(importRecurrence(`${nights};UNTIL=20261025T011500Z`, 60).until).toEqual(new Date('2026-10-25T02:30:00Z'));
    const skipped = 'DTSTART;TZID=Europe/Berlin:20260328T023000\nRRULE:FREQ=DAILY;COUNT=2';
    expect(importRecurrence(skipped, 60).until).toEqual(new Date('2026-03-29T01:30:00Z'));
  });

  it('reads a line that goes on after its break, names in any case, and what changes nothing', () => {
    const plain = importRecurrence(`${START}\nRRULE:FREQ=DAILY;COUNT=12`, 60);
    const start = 'dtstart;value=DATE-TIME;tzid="Europe/Berlin":20260105T090000';
    expect(importRecurrence(`${start}\r\nrrule:freq=daily;wkst=su;inter\r\n val=1;count=1\r\n\t2\r\n`, 60)).toEqual(
      plain,
    );
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

  it.each<[string, string, number?]>([
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
    [`${START}\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY`, 'EXRULE cannot be said'],
    [`${START}\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY`, 'RRULE is there twice'],
    [`${START}\nRRULE:FREQ=DAILY\nSTATUS:CANCELLED`, 'STATUS:CANCELLED cannot be taken'],
    ['DTSTART;TZID=Europe/Berlin:20260105T090030\nRRULE:FREQ=DAILY', 'DTSTART must be at a full minute'],
    ['DTSTART;TZID=Europe/Berlin:20260329T023000\nRRULE:FREQ=DAILY', 'a time that does not exist'],
    ['DTSTART;TZID=Europe/Berlin:20261305T090000\nRRULE:FREQ=DAILY', 'DTSTART is no time'],
    [`${START}\nRRULE:hello`, 'no recurrence rule'],
    [`${START}\nRRULE:FREQ=DAILY;`, 'no recurrence rule'],
    [`${START}\nRRULE;X=1:FREQ=DAILY`, 'no recurrence rule'],
    [`${START}\nRRULE:COUNT=1`, 'no recurrence rule'],
    [START, 'no recurrence rule'],
    [`${START} RRULE:FREQ=DAILY`, 'DTSTART is no time'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=1;COUNT=9000`, 'COUNT is there twice'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=9\n 000`, 'COUNT takes whole numbers'],
    [`${START}\nRRULE:FREQ=DAILY;X-COUNT=1;COUNT=9000`, 'X-COUNT cannot be said'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=1;COUNT=`, 'COUNT is there twice'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=`, 'COUNT takes whole numbers'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=3,3`, 'COUNT takes one number'],
    [`${START}\nRRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101T000000Z`, 'UNTIL and COUNT exclude each other'],
    [`${START}\nRRULE:FREQ=DAILY;UNTIL=20260101T000000Z`, 'it has no occurrence'],
    [`${START}\nRRULE:FREQ=DAILY;UNTIL=20270101T000000`, 'UNTIL takes a time in UTC'],
    [`${START}\nRRULE:FREQ=DAILY;UNTIL=20260230`, 'UNTIL takes a time in UTC'],
    [`${START}\nRRULE:FREQ=DAILY;INTERVAL=2;INTERVAL=1`, 'INTERVAL is there twice'],
    [`${START}\nRRULE:FREQ=DAILY;BYEASTER=0`, 'BYEASTER cannot be said'],
    [`${START}\nRRULE:FREQ=DAILY;BYDAY=MO,`, 'BYDAY= does not come every week'],
    [`${START}\nRRULE:FREQ=DAILY;WKST=XX`, 'WKST=XX'],
    [`${START}\nRRULE:FREQ=DAILY;BYDAY=MO\nRRULE:FREQ=DAILY`, 'RRULE is there twice'],
    [`${START}\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY`, 'EXRULE cannot be said'],
    [`DTSTART:20260105\n${START}\nRRULE:FREQ=DAILY`, 'DTSTART is there twice'],
    ['DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY', 'DTSTART must name its zone'],
    [`${START}Z\nRRULE:FREQ=DAILY`, 'DTSTART must name its zone'],
    ['DTSTART;TZID=UTC;TZID=UTC:20260105T090000\nRRULE:FREQ=DAILY', 'TZID is there twice'],
    ['DTSTART;TZID=UTC:20260105T090030\nRRULE:FREQ=DAILY', 'at a full minute'],
    ['DTSTART;TZID=UTC:20260105T256100\nRRULE:FREQ=DAILY', 'DTSTART is no time'],
    ['DTSTART;TZID=UTC:00000101T090000\nRRULE:FREQ=DAILY', 'from 1970 to 9999'],
    ['DTSTART;TZID=UTC:99991220T090000\nRRULE:FREQ=DAILY;COUNT=1000', 'before 1970, or ends after 9999'],
    ['DTSTART;TZID=UTC:20260105T090000\nRRULE:FREQ=DAILY;UNTIL=99991231T235959Z', 'ends after 9999', 1_440],
  ])('refuses %j and says why', (rule, reason, durationMinutes = 60) => {
    expect(() => importRecurrence(rule, durationMinutes)).toThrow(reason);
  });

  it('answers or refuses whatever is made of rules, in the time of the longest rule', () => {
    const random = seededRandom(20_261_201);
    const below = (end: number): number => Math.floor(random() * end);
    const rules = [
      `${START}\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE;BYHOUR=0,1,2,3,4,5,6,7,8,9;COUNT=1000`,
      `${START}\r\nRRULE:FREQ=DAILY;INTERVAL=1;COUNT=1;COUNT=99999999`,
      'DTSTART:20260105T200000Z\nRRULE:FREQ=DAILY;WKST=MO;BYMINUTE=0,30;UNTIL=99991201T000000Z',
    ];
    const pieces = [
      ';',
      ',',
      '=',
      ':',
      '"',
      '\n',
      '\n ',
      '9',
      '0',
      '-',
      ';COUNT=9',
      'X-',
      'TZID=',
      ';BYDAY=',
      '\u0130',
      '1MO',
    ];
    const mutated = (rule: string): string => {
      const [begin, piece] = [below(rule.length), pieces[below(pieces.length)] ?? ''];
      const part = rule.slice(begin, begin + below(30));
      const added = [piece, piece.repeat(below(400)), part + part, ''][below(4)] ?? '';
      return (rule.slice(0, begin) + added + rule.slice(begin + below(4) * below(6))).slice(0, 1_000);
    };
    const time = (work: () => void): number => {
      const began = process.threadCpuUsage();
      work();
      return process.threadCpuUsage(began).user;
    };
    let [longest, others] = [0, 0];
    for (let round = 0; round < 1_500; round += 1) {
      // Each year is one whose clocks were not read before.
      const long = (rules[0] ?? '').replace('2026', String(1_970 + below(7_000)));
      longest += time(() => importRecurrence(long, 1_440));
      const text = mutated(mutated(round % 2 === 0 ? mutated(rules[below(3)] ?? '') : (rules[below(3)] ?? '')));
      others += time(() => {
        try {
          const { from, until } = importRecurrence(text, 60);
          expect([text, isInstant(from.toISOString()), isInstant((until ?? from).toISOString())]).toEqual([
            text,
            true,
            true,
          ]);
        } catch (error) {
          expect([text, error]).toEqual([text, expect.any(RecurrenceError)]);
        }
      });
    }
    expect(others).toBeLessThan(5 * longest);
  });

  it('refuses one that is too long', () => {
    expect(() => importRecurrence(`${START}\n${'X'.repeat(1_000)}`, 60)).toThrow('at most 1000 characters');
  });
});
