import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { timeOfEvent } from './time-of-event.js';

const NOW = Date.parse('2026-11-20T18:00:00.000Z');
const at = (offsetMs: number): Date => new Date(NOW + offsetMs);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('timeOfEvent', () => {
  it.each<[string, Parameters<typeof timeOfEvent>[0], Date | null, Date | undefined]>([
    ['by the uptime', { uptimeMs: HOUR }, at(-3 * HOUR), at(-2 * HOUR)],
    [
      'by the uptime, whatever the wall clock says',
      { uptimeMs: HOUR, occurredAt: at(-9) },
      at(-3 * HOUR),
      at(-2 * HOUR),
    ],
    ['now, when the uptime is a little ahead', { uptimeMs: HOUR + 2_000 }, at(-HOUR), at(0)],
    ['unknown, when the uptime is far ahead', { uptimeMs: 9 * HOUR }, at(-HOUR), undefined],
    ['unknown, when the uptime is before all history', { uptimeMs: 1 }, at(-91 * DAY), undefined],
    ['unknown, when the start of the boot is', { uptimeMs: HOUR }, null, undefined],
    ['by the wall clock, when the start is unknown', { uptimeMs: 9, occurredAt: at(-HOUR) }, null, at(-HOUR)],
    ['by the wall clock, without an uptime', { occurredAt: at(-HOUR) }, at(-2 * HOUR), at(-HOUR)],
    ['now, when the wall clock is a little ahead', { occurredAt: at(60_000) }, null, at(0)],
    ['unknown, when the wall clock is weeks ahead', { occurredAt: at(21 * DAY) }, at(-DAY), undefined],
    ['unknown, when the wall clock is before the start', { occurredAt: at(-21 * DAY) }, at(-DAY), undefined],
    ['unknown, when the wall clock began in 1970', { occurredAt: new Date(5) }, null, undefined],
    ['unknown, when nothing is said', {}, at(-DAY), undefined],
  ])('is %s', (_what, said, bootStartedAt, expected) => {
    expect(timeOfEvent(said, { bootStartedAt, now: at(0) })).toEqual(expected);
  });

  it('is never in the future, before the start of the boot, or before all history', () => {
    const time = fc.integer({ min: -200 * DAY, max: 200 * DAY });
    fc.assert(
      fc.property(fc.option(fc.nat(100 * DAY)), fc.option(time), fc.option(fc.nat(100 * DAY)), (uptime, clock, age) => {
        const bootStartedAt = age === null ? null : at(-age);
        const said = {
          ...(uptime === null ? {} : { uptimeMs: uptime }),
          ...(clock === null ? {} : { occurredAt: at(clock) }),
        };
        const found = timeOfEvent(said, { bootStartedAt, now: at(0) })?.getTime() ?? NOW;
        expect(found).toBeLessThanOrEqual(NOW);
        expect(found).toBeGreaterThanOrEqual(NOW - 90 * DAY);
        expect(found).toBeGreaterThanOrEqual((bootStartedAt?.getTime() ?? 0) - 300_000);
      }),
    );
  });
});
