import { describe, expect, it } from '@jest/globals';
import { delayAfter, pauseAfter, retryAfterMs } from './webhook-schedule.js';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-12-03T08:00:00.000Z');

function delays(random = 0): number[] {
  const found: number[] = [];
  for (let delay = delayAfter(1, null, random); delay !== null; delay = delayAfter(found.length + 1, null, random)) {
    found.push(delay);
  }
  return found;
}

describe('the delays of a webhook that is not taken', () => {
  it('begin with seconds, grow, and end after three days', () => {
    expect(delays()[0]).toBe(5_000);
    expect(delays()).toEqual(delays().toSorted((a, b) => a - b));
    const sum = (random: number): number => delays(random).reduce((total, delay) => total + delay, 0) / HOUR_MS;
    expect([sum(0), sum(1)].map(Math.floor)).toEqual([71, 78]);
    expect(delays(1).map((delay, place) => delay / delays()[place]!)).toEqual(delays().map(() => 1.1));
  });

  it('are as long as the receiver asks for, up to an hour, and never shorter', () => {
    expect(delayAfter(1, 60_000, 0)).toBe(60_000);
    expect(delayAfter(1, 24 * HOUR_MS, 0)).toBe(HOUR_MS);
    expect(delayAfter(5, 1_000, 0)).toBe(2 * HOUR_MS);
    expect(delayAfter(99, 60_000, 0)).toBeNull();
  });
});

describe('the pause of an endpoint', () => {
  it('begins with the fifth failure in a row, doubles, and is five minutes at most', () => {
    expect([1, 4, 5, 6, 7].map(pauseAfter)).toEqual([0, 0, 5_000, 10_000, 20_000]);
    expect(pauseAfter(1_000)).toBe(300_000);
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 5 ', 5_000],
    ['0', 0],
    ['Thu, 03 Dec 2026 08:00:30 GMT', 30_000],
    ['Thu, 03 Dec 2026 07:00:00 GMT', 0],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['99999999999', null],
    ['', null],
    [undefined, null],
  ])('of %p is %p ms', (value, expected) => {
    expect(retryAfterMs(value, NOW)).toBe(expected);
  });
});
