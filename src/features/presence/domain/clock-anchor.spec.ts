import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isOfOneStart,
  leastUptimeMs,
  LONGEST_ANCHOR_MS,
  LONGEST_DELAY_MS,
  nextAnchor,
  type UptimeReading,
} from './clock-anchor.js';

const HOUR = 3_600_000;

/** A start of the device, and the reports that it sent until the next one. */
interface Run {
  readonly lengthMs: number;
  /** Of its clock: 1 is exact, 0.99 one percent slow, 1.1 ten percent fast. */
  readonly rate: number;
  readonly reports: readonly { readonly afterMs: number; readonly delayMs: number }[];
}

interface Sent extends UptimeReading {
  readonly startedAt: number;
  readonly sentAt: number;
  readonly rate: number;
}

/** Most reports come at once, some after seconds, a few after minutes. */
const delay = fc.oneof(fc.nat(200), fc.nat(200), fc.nat(30_000), fc.nat(LONGEST_DELAY_MS));
const run: fc.Arbitrary<Run> = fc.record({
  lengthMs: fc.oneof(fc.nat(60_000), fc.nat(HOUR), fc.nat(20 * HOUR)),
  rate: fc.double({ min: 0.99, max: 1.1, noNaN: true }),
  reports: fc.array(fc.record({ afterMs: fc.nat(40_000), delayMs: delay }), { maxLength: 12 }),
});

/** The reports of a device that starts again and again with one boot id, in the order of their arrival. */
function arrivals(runs: readonly Run[]): Sent[] {
  let startedAt = 0;
  const sent: Sent[] = [];
  for (const { lengthMs, rate, reports } of runs) {
    // They end with the run, so that the last ones of it are as close to the next start as can be.
    let beforeEnd = 0;
    for (const { afterMs, delayMs } of reports) {
      beforeEnd += afterMs;
      const upMs = Math.max(0, lengthMs - beforeEnd);
      const sentAt = startedAt + upMs;
      sent.push({ startedAt, sentAt, rate, uptimeMs: Math.floor(upMs * rate), at: sentAt + delayMs });
    }
    startedAt += lengthMs;
  }
  return sent.sort((a, b) => a.at - b.at);
}

describe('the anchor of deadlines', () => {
  it('is never ahead of the device: with clocks off by their tolerance, late reports, and one boot id for several starts', () => {
    let kept = 0;
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 5 }), (runs) => {
        let anchor: UptimeReading | null = null;
        let newestSent = 0;
        for (const report of arrivals(runs)) {
          const least = leastUptimeMs(report, anchor);
          anchor = nextAnchor(report, anchor);
          kept += anchor === report ? 0 : 1;
          newestSent = Math.max(newestSent, report.startedAt);
          // A report from before the last start that arrives after it deceives by itself, with and without an anchor.
          if (report.startedAt === newestSent) {
            expect(least).toBeLessThanOrEqual(Math.max(report.uptimeMs, (report.at - report.startedAt) * report.rate));
          }
        }
      }),
      { numRuns: 1_000 },
    );
    expect(kept).toBeGreaterThan(100);
  });

  it('is the report before one that waited for 22 s, so that orders keep their time', () => {
    const before = { uptimeMs: HOUR, at: 0 };
    const late = { uptimeMs: HOUR + 8_000, at: 30_000 };
    expect(nextAnchor(late, before)).toBe(before);
    expect(leastUptimeMs(late, before)).toBe(HOUR + 29_700);
    const inTime = { uptimeMs: HOUR + 60_000, at: 60_000 };
    expect(nextAnchor(inTime, before)).toBe(inTime);
  });

  it('is the newest report when the device may have started since the one before', () => {
    const before = { uptimeMs: 300_000, at: 0 };
    const youngest = { uptimeMs: (LONGEST_DELAY_MS + 30_000) * 1.1, at: 30_000 };
    expect(isOfOneStart(youngest, before)).toBe(false);
    expect(isOfOneStart({ ...youngest, uptimeMs: youngest.uptimeMs + 1 }, before)).toBe(true);
  });

  it('is the newest report when the one before is old, or the database clock was set', () => {
    const before = { uptimeMs: HOUR, at: 0 };
    for (const at of [LONGEST_ANCHOR_MS + 1, 24 * HOUR, -1, -24 * HOUR]) {
      const newest = { uptimeMs: HOUR + 10, at };
      expect(nextAnchor(newest, before)).toBe(newest);
      expect(leastUptimeMs(newest, before)).toBe(HOUR + 10);
    }
  });
});
