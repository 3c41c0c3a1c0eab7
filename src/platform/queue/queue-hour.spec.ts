import { describe, expect, it } from '@jest/globals';
import { endedInLastHour } from './queue-hour.js';

const MINUTE_MS = 60_000;
const NOW = Date.UTC(2026, 10, 20, 18, 30, 20);
const at = (minutesAgo: number): number => NOW - minutesAgo * MINUTE_MS;

describe('the jobs of the last hour', () => {
  it('are those of the minute of the last job, and of the minutes before', () => {
    const meta = { count: 20, prevCount: 13, prevTS: at(0) };
    expect(endedInLastHour({ meta, data: [3, 0, 4] }, NOW)).toBe(14);
  });

  it('are none that are older', () => {
    const data = [1, ...Array<number>(58).fill(0), 5];
    expect(endedInLastHour({ meta: { count: 9, prevCount: 7, prevTS: at(0) }, data }, NOW)).toBe(3);
    expect(endedInLastHour({ meta: { count: 9, prevCount: 7, prevTS: at(59) }, data }, NOW)).toBe(2);
    expect(endedInLastHour({ meta: { count: 9, prevCount: 7, prevTS: at(60) }, data }, NOW)).toBe(0);
  });

  it('are none where none ended', () => {
    expect(endedInLastHour({ meta: { count: 0, prevCount: 0, prevTS: 0 }, data: [] }, NOW)).toBe(0);
  });
});
