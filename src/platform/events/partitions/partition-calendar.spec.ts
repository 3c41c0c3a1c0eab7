import { describe, expect, it } from '@jest/globals';
import {
  MAX_PARTITIONS,
  missingAround,
  missingWithin,
  PARTITION_WIDTHS,
  partitionCount,
  spanAround,
  type TimeSpan,
  widthFor,
} from './partition-calendar.js';

const DAY_MS = 86_400_000;
const at = (text: string): number => Date.parse(`${text}T00:00:00Z`);
const text = ({ from, to }: TimeSpan): string[] => [from, to].map((time) => new Date(time).toISOString().slice(0, 10));

describe('the calendar of partitions', () => {
  it('begins weeks on Monday, and months, quarters and years on their first day, also before 1970', () => {
    expect(text(spanAround('week', at('2026-11-29')))).toEqual(['2026-11-23', '2026-11-30']);
    expect(text(spanAround('week', at('2026-11-30')))).toEqual(['2026-11-30', '2026-12-07']);
    expect(text(spanAround('week', at('1969-12-30')))).toEqual(['1969-12-29', '1970-01-05']);
    expect(text(spanAround('month', at('2026-12-31')))).toEqual(['2026-12-01', '2027-01-01']);
    expect(text(spanAround('quarter', at('2026-05-05')))).toEqual(['2026-04-01', '2026-07-01']);
    expect(text(spanAround('year', at('2026-05-05')))).toEqual(['2026-01-01', '2027-01-01']);
  });

  it('chooses the narrowest width with few enough partitions', () => {
    const chosen = ['7', '90', '147', '148', '365', '672', '673', '1825', '2160', '2161', '8760'].map(
      (days) => `${days} ${widthFor(Number(days) * DAY_MS)}`,
    );
    expect(chosen).toEqual([
      ...['7 week', '90 week', '147 week', '148 month', '365 month', '672 month'],
      ...['673 quarter', '1825 quarter', '2160 quarter', '2161 year', '8760 year'],
    ]);
    for (let days = 1; days <= 8_760; days++) {
      expect(partitionCount(widthFor(days * DAY_MS), days * DAY_MS)).toBeLessThanOrEqual(MAX_PARTITIONS);
    }
  });

  it('leaves neither a gap nor an overlap, whatever is there already', () => {
    for (const width of PARTITION_WIDTHS) {
      for (let seed = 0; seed < 50; seed++) {
        const first = at('2026-01-01') + seed * 11 * DAY_MS;
        const existing = [0, 9, 23].map((day) => ({
          from: first + day * DAY_MS,
          to: first + (day + 1 + (seed % 7)) * DAY_MS,
        }));
        const wanted = { from: first - 40 * DAY_MS, to: first + 90 * DAY_MS };
        const all = [...existing, ...missingWithin(existing, width, wanted)].sort((a, b) => a.from - b.from);
        expect(all[0]?.from).toBeLessThanOrEqual(wanted.from);
        expect(all.at(-1)?.to).toBeGreaterThanOrEqual(wanted.to);
        all.slice(1).forEach(({ from }, index) => {
          expect(from).toBe(all[index]?.to);
        });
      }
    }
  });

  it('keeps clear of partitions without a beginning or an end', () => {
    const existing = [
      { from: -Infinity, to: at('2026-01-10') },
      { from: at('2026-01-20'), to: Infinity },
    ];
    expect(text(missingAround(existing, 'year', at('2026-01-15')))).toEqual(['2026-01-10', '2026-01-20']);
    expect(missingWithin(existing, 'week', { from: at('2025-01-01'), to: at('2025-06-01') })).toEqual([]);
    expect(missingWithin(existing, 'week', { from: at('2026-02-01'), to: at('2026-06-01') })).toEqual([]);
  });
});
