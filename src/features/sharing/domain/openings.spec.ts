import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { leastProcessorMs } from '../../../../test/support/processor-time.js';
import { type EffectiveShare, stateOfShare } from './device-access.js';
import { nextChange, nextOpenings } from './openings.js';
import { isOpenAt, WEEKDAYS, type WeeklySchedule, type WeeklyWindow } from './weekly-schedule.js';

const MINUTE_MS = 60_000;
const time = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
const aWindow = fc.record<WeeklyWindow>({
  days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
  from: fc.integer({ min: 0, max: 1_439 }).map(time),
  until: fc.integer({ min: 1, max: 1_440 }).map(time),
});
const aSchedule = fc.record<WeeklySchedule>({
  timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'),
  windows: fc.array(aWindow, { minLength: 1, maxLength: 3 }),
});
/** Days on which clocks are set, and one on which they are not. */
const aDay = fc.constantFrom(
  '2026-03-28',
  '2026-10-24',
  '2026-03-07',
  '2026-10-31',
  '2026-04-04',
  '2026-10-03',
  '2026-06-10',
);

const termsOf = (schedule: WeeklySchedule | null, rest: Partial<EffectiveShare> = {}): EffectiveShare => ({
  under: null,
  permission: 'control',
  from: null,
  until: null,
  schedule,
  suspended: false,
  ...rest,
});
const berlin = (days: WeeklyWindow['days'], from: string, until: string): WeeklySchedule => ({
  timeZone: 'Europe/Berlin',
  windows: [{ days, from, until }],
});

/** Openings, as often as the schedule of the share may be written, and none that is closed, by the decision itself. */
function expectAsDecided(share: EffectiveShare, after: Date, minutes: number): void {
  const openings = nextOpenings(share, after, 20);
  const last = openings.length === 20 ? openings.at(-1)?.until : null;
  for (let minute = 0; minute < minutes; minute += 7) {
    const instant = new Date(after.getTime() + minute * MINUTE_MS);
    if (last && instant >= last) {
      break;
    }
    const told = openings.some(({ from, until }) => from <= instant && (until === null || instant < until));
    expect([instant.toISOString(), told]).toEqual([instant.toISOString(), stateOfShare(share, instant) === 'open']);
  }
}

/** How often the clock of a zone is read, which is what the walk costs. */
function clockReadings(walk: () => void): number {
  const spy = jest.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
  walk();
  return spy.mock.calls.length;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('isOpenAt', () => {
  it.each<[string, WeeklySchedule, string, boolean]>([
    ['includes its first minute', berlin(['MO'], '09:00', '17:00'), '2026-11-30T08:00:00Z', true],
    ['ends before its last', berlin(['MO'], '09:00', '17:00'), '2026-11-30T16:00:00Z', false],
    ['knows the day of the place', berlin(['MO'], '00:00', '01:00'), '2026-11-29T23:30:00Z', true],
    ['goes on after midnight', berlin(['FR'], '22:00', '06:00'), '2026-12-05T04:59:59Z', true],
    ['does not begin on the next day', berlin(['FR'], '22:00', '06:00'), '2026-12-05T21:00:00Z', false],
    ['lasts until midnight', berlin(['MO'], '12:00', '24:00'), '2026-11-30T22:59:00Z', true],
    ['opens at the end of the hour that is skipped', berlin(['SU'], '02:30', '04:00'), '2026-03-29T01:00:00Z', true],
    ['is closed before it', berlin(['SU'], '02:30', '04:00'), '2026-03-29T00:59:59Z', false],
    ['is open in the hour that comes twice', berlin(['SU'], '02:00', '02:30'), '2026-10-25T00:15:00Z', true],
    ['and again', berlin(['SU'], '02:00', '02:30'), '2026-10-25T01:15:00Z', true],
    ['and closed between', berlin(['SU'], '02:00', '02:30'), '2026-10-25T00:45:00Z', false],
  ])('%s', (_case, schedule, instant, expected) => {
    expect(isOpenAt(schedule, new Date(instant))).toBe(expected);
  });
});

describe('nextOpenings', () => {
  it('tells what looking at every minute finds, also where clocks are set', () => {
    fc.assert(
      fc.property(aSchedule, aDay, (schedule, day) => {
        expectAsDecided(termsOf(schedule), new Date(`${day}T00:00:00Z`), 2.5 * 1_440);
      }),
      { numRuns: 25 },
    );
  });

  it('tells it also of a share that was given by a share, in any two zones', () => {
    fc.assert(
      fc.property(aSchedule, aSchedule, aDay, (schedule, ofGiver, day) => {
        const under = { ...termsOf(ofGiver), permission: 'admin' } as const;
        expectAsDecided(termsOf(schedule, { under }), new Date(`${day}T00:00:17Z`), 2.5 * 1_440);
      }),
      { numRuns: 25 },
    );
  });

  it('finds what is open on the day of a change of clocks alone, in a year', () => {
    const under = {
      ...termsOf({ timeZone: 'America/New_York', windows: [{ days: ['MO'], from: '08:00', until: '09:00' }] }),
      permission: 'admin',
    } as const;
    // New York is five hours behind Berlin between its own change and that of Berlin, and six at any other time.
    const share = termsOf(berlin(['MO'], '13:00', '14:00'), { under });
    expect(nextOpenings(share, new Date('2026-04-01T00:00:00Z'), 3)).toEqual([
      { from: new Date('2026-10-26T12:00:00Z'), until: new Date('2026-10-26T13:00:00Z') },
      { from: new Date('2027-03-15T12:00:00Z'), until: new Date('2027-03-15T13:00:00Z') },
      { from: new Date('2027-03-22T12:00:00Z'), until: new Date('2027-03-22T13:00:00Z') },
    ]);
  });

  it('looks from the begin of the share on, however far away that is, also by the hours of its giver', () => {
    const under = { ...termsOf(berlin(['TU'], '10:00', '14:00')), permission: 'admin' } as const;
    const share = termsOf(null, { under, from: new Date('2029-01-01T00:00:00Z') });
    expect(nextOpenings(share, new Date('2026-12-01T00:00:00Z'), 1)).toEqual([
      { from: new Date('2029-01-02T09:00:00Z'), until: new Date('2029-01-02T13:00:00Z') },
    ]);
  });

  it('reads the clocks for no longer than it takes to tell', () => {
    const now = new Date('2026-12-01T00:00:00Z');
    const page = (share: EffectiveShare) => () => {
      for (let round = 0; round < 100; round += 1) {
        nextOpenings(share, now, 1);
      }
    };
    const meeting = (zone: string, ofGiver: string): EffectiveShare =>
      termsOf(
        { timeZone: zone, windows: [{ days: WEEKDAYS, from: '01:00', until: '01:20' }] },
        {
          under: {
            ...termsOf({ timeZone: ofGiver, windows: [{ days: WEEKDAYS, from: '01:30', until: '01:40' }] }),
            permission: 'admin',
          },
        },
      );
    // Once a day for a month or two, and no more for the shares after it.
    expect(clockReadings(page(termsOf(berlin(['MO'], '08:00', '18:00'))))).toBeLessThan(200);
    jest.restoreAllMocks();
    expect(clockReadings(page(meeting('Asia/Tokyo', 'Asia/Tokyo')))).toBe(0);
    jest.restoreAllMocks();
    // Once a day for 400 days, in both zones.
    expect(clockReadings(page(meeting('Europe/Paris', 'America/Chicago')))).toBeLessThan(1_500);
  });

  it('keeps the hour on the wall across the change of clocks', () => {
    const openings = nextOpenings(termsOf(berlin(['SA', 'MO'], '09:00', '10:00')), new Date('2026-10-24T00:00:00Z'), 2);
    expect(openings).toEqual([
      { from: new Date('2026-10-24T07:00:00Z'), until: new Date('2026-10-24T08:00:00Z') },
      { from: new Date('2026-10-26T08:00:00Z'), until: new Date('2026-10-26T09:00:00Z') },
    ]);
  });

  it('begins with the present one, and knows no end where there is none', () => {
    const now = new Date('2026-12-01T12:00:00Z');
    expect(nextOpenings(termsOf(null), now, 5)).toEqual([{ from: now, until: null }]);
  });

  it('cuts openings at the ends of the share, also of one that is suspended', () => {
    const terms = termsOf(berlin(['TU', 'WE'], '08:00', '20:00'), {
      from: new Date('2026-12-01T10:00:00Z'),
      until: new Date('2026-12-02T10:00:00Z'),
      suspended: true,
    });
    expect(nextOpenings(terms, new Date('2026-11-01T00:00:00Z'), 5)).toEqual([
      { from: new Date('2026-12-01T10:00:00Z'), until: new Date('2026-12-01T19:00:00Z') },
      { from: new Date('2026-12-02T07:00:00Z'), until: new Date('2026-12-02T10:00:00Z') },
    ]);
  });

  it('is what both have where it was given by a share, and nothing once that is no admin', () => {
    const under = { ...termsOf(berlin(['TU'], '10:00', '14:00')), permission: 'admin' } as const;
    const share = termsOf(berlin(['TU', 'WE'], '08:00', '12:00'), { under });
    const [first, second] = nextOpenings(share, new Date('2026-12-01T00:00:00Z'), 2);
    expect(first).toEqual({ from: new Date('2026-12-01T09:00:00Z'), until: new Date('2026-12-01T11:00:00Z') });
    expect(second?.from).toEqual(new Date('2026-12-08T09:00:00Z'));
    expect(nextOpenings({ ...share, under: { ...under, permission: 'control' } }, new Date(), 2)).toEqual([]);
  });

  it('takes no longer for a schedule that never closes, or has as many windows as it may', () => {
    const all = Array.from({ length: 20 }, (_, index) => ({
      days: WEEKDAYS,
      from: time(index * 7),
      until: time(index * 7 + 5),
    }));
    const schedule = {
      timeZone: 'Europe/Berlin',
      windows: [...all, { days: WEEKDAYS, from: '00:00', until: '24:00' }],
    };
    const ask = (): void => {
      expect(nextOpenings(termsOf(schedule), new Date('2026-12-01T00:00:00Z'), 1)[0]?.until).toBeNull();
      nextOpenings(termsOf({ ...schedule, windows: all }), new Date('2026-12-01T00:00:00Z'), 1);
    };
    // It was 900 ms for each before.
    expect(leastProcessorMs(ask, 100)).toBeLessThan(50);
  });

  it('is empty when the share is over', () => {
    expect(nextOpenings(termsOf(null, { until: new Date(0) }), new Date(), 5)).toEqual([]);
  });
});

describe('nextChange', () => {
  it('is when the state changes first', () => {
    fc.assert(
      fc.property(aSchedule, aDay, (schedule, day) => {
        const after = new Date(`${day}T00:00:00Z`);
        const terms = termsOf(schedule);
        const change = nextChange(terms, after);
        if (change) {
          expect(stateOfShare(terms, change)).not.toBe(stateOfShare(terms, after));
          expect(stateOfShare(terms, new Date(change.getTime() - 1))).toBe(stateOfShare(terms, after));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is never for a share without ends', () => {
    expect(nextChange(termsOf(null), new Date())).toBeNull();
  });
});
