import { describe, expect, it } from '@jest/globals';
import type { ShareTerms } from './device-access.js';
import { changedTerms } from './share-terms.js';

const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
const NOW = day('2026-12-01');
const SCHEDULE = { timeZone: 'UTC', windows: [{ days: ['MO'], from: '09:00', until: '10:00' }] } as const;
const JANUARY: ShareTerms = {
  permission: 'control',
  from: day('2027-01-01'),
  until: day('2027-02-01'),
  schedule: null,
  suspended: false,
};
const ALWAYS: ShareTerms = { ...JANUARY, from: null, until: null };

describe('changedTerms', () => {
  it('leaves what the change does not say', () => {
    expect(changedTerms(JANUARY, {}, NOW)).toEqual(JANUARY);
    expect(changedTerms(JANUARY, { suspended: true, until: null }, NOW)).toEqual({
      ...JANUARY,
      suspended: true,
      until: null,
    });
  });

  it.each([
    ['a rule that has begun and does not end', JANUARY, '2026-01-05', null, '2027-01-01', '2027-02-01'],
    ['the same for a share without ends', ALWAYS, '2026-01-05', null, null, null],
    ['a rule that is wider', JANUARY, '2026-12-05', '2028-01-01', '2027-01-01', '2027-02-01'],
    ['a rule that is shorter', JANUARY, '2027-01-05', '2027-01-10', '2027-01-05', '2027-01-10'],
    ['a rule with ends for a share without', ALWAYS, '2027-01-05', '2027-01-10', '2027-01-05', '2027-01-10'],
  ])('gives a share its schedule by %s, and never a longer window', (_case, share, begin, end, from, until) => {
    const within = { from: day(begin), until: end === null ? null : day(end) };
    expect(changedTerms(share, { schedule: SCHEDULE, within }, NOW)).toEqual({
      ...share,
      schedule: SCHEDULE,
      from: from === null ? null : day(from),
      until: until === null ? null : day(until),
    });
  });

  it('takes what is said beside a rule', () => {
    const within = { from: day('2027-01-05'), until: day('2027-01-10') };
    const said = { from: day('2026-12-24'), until: null };
    expect(changedTerms(JANUARY, { ...said, schedule: SCHEDULE, within }, NOW)).toMatchObject(said);
  });
});
