import { describe, expect, it } from '@jest/globals';
import { endOfQuiet } from './quiet-hours.js';

const after = (quiet: Parameters<typeof endOfQuiet>[0], at: string): string =>
  new Date(endOfQuiet(quiet, Date.parse(at))).toISOString();

describe('quiet hours', () => {
  const night = { from: '22:00', until: '07:00', timeZone: 'Europe/Berlin' };

  it.each([
    ['before them', '2026-06-01T19:59:00.000Z', '2026-06-01T19:59:00.000Z'],
    ['from their first minute', '2026-06-01T20:00:00.000Z', '2026-06-02T05:00:00.000Z'],
    ['after midnight', '2026-06-02T01:00:00.000Z', '2026-06-02T05:00:00.000Z'],
    ['until their last minute', '2026-06-02T04:59:59.999Z', '2026-06-02T05:00:00.000Z'],
    ['after them', '2026-06-02T05:00:00.000Z', '2026-06-02T05:00:00.000Z'],
    ['in winter', '2026-12-01T21:30:00.000Z', '2026-12-02T06:00:00.000Z'],
    ['over the spring forward', '2026-03-28T22:00:00.000Z', '2026-03-29T05:00:00.000Z'],
    ['over the fall back', '2026-10-24T21:00:00.000Z', '2026-10-25T06:00:00.000Z'],
  ])('%s', (_, at, expected) => {
    expect(after(night, at)).toBe(expected);
  });

  it('end when the clocks are set, where their end is skipped', () => {
    const quiet = { from: '22:00', until: '02:30', timeZone: 'Europe/Berlin' };
    expect(after(quiet, '2026-03-29T00:30:00.000Z')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('end the first time that the clock shows it, where that comes twice', () => {
    const quiet = { from: '22:00', until: '02:30', timeZone: 'Europe/Berlin' };
    expect(after(quiet, '2026-10-25T00:10:00.000Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(after(quiet, '2026-10-25T01:10:00.000Z')).toBe('2026-10-25T01:10:00.000Z');
  });

  it('may lie within a day, or in a zone of odd minutes', () => {
    const noon = { from: '12:00', until: '13:30', timeZone: 'Asia/Kathmandu' };
    expect(after(noon, '2026-06-01T06:15:00.000Z')).toBe('2026-06-01T07:45:00.000Z');
    expect(after(noon, '2026-06-01T06:14:00.000Z')).toBe('2026-06-01T06:14:00.000Z');
  });

  it('are none without any, or without a length', () => {
    expect(after(null, '2026-06-01T22:00:00.000Z')).toBe('2026-06-01T22:00:00.000Z');
    expect(after({ ...night, until: '22:00' }, '2026-06-01T20:00:00.000Z')).toBe('2026-06-01T20:00:00.000Z');
  });
});
