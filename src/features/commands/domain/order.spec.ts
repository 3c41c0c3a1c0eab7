import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deadlineOf, deadlineOnUptime, writeOrder } from './order.js';

const NOW = Date.parse('2026-11-20T18:00:00.000Z');
const at = (offsetMs: number): Date => new Date(NOW + offsetMs);

describe('deadlineOnUptime', () => {
  it('counts from the last report, to a little before the deadline', () => {
    const clock = { boot: 'b00t0001', uptimeMs: 60_000, reportedAt: at(-5_000) };
    expect(deadlineOnUptime(clock, at(0), at(15_000))).toBe(79_800);
  });

  it('is never late: however long the report took, and however slow the device counts within its tolerance', () => {
    const facts = fc.record({
      /** Uptime when the report was sent, which the device alone knows exactly. */
      uptimeMs: fc.integer({ min: 0, max: 10 ** 10 }),
      reportDelayMs: fc.integer({ min: 0, max: 120_000 }),
      reportAgeMs: fc.integer({ min: 0, max: 90_000 }),
      lifeMs: fc.integer({ min: 1, max: 600_000 }),
      /** 1 is exact, 0.99 one percent slow, 1.05 five percent fast. */
      rate: fc.double({ min: 0.99, max: 1.05, noNaN: true }),
    });
    fc.assert(
      fc.property(facts, ({ uptimeMs, reportDelayMs, reportAgeMs, lifeMs, rate }) => {
        const clock = { boot: 'b00t0001', uptimeMs, reportedAt: at(-reportAgeMs) };
        const limit = deadlineOnUptime(clock, at(0), at(lifeMs));
        const uptimeAtDeadline = uptimeMs + (reportDelayMs + reportAgeMs + lifeMs) * rate;
        expect(limit).toBeLessThanOrEqual(uptimeAtDeadline + 1e-3);
      }),
    );
  });

  it('is not later because the database clock was set forward, and not earlier because it was set back', () => {
    const clock = { boot: 'b00t0001', uptimeMs: 60_000, reportedAt: at(-3_600_000) };
    expect(deadlineOnUptime(clock, at(0), at(15_000))).toBe(60_000 + 0.99 * 135_000);
    expect(deadlineOnUptime({ ...clock, reportedAt: at(3_600_000) }, at(0), at(15_000))).toBe(60_000 + 0.99 * 15_000);
  });

  it('gives more time for a later deadline', () => {
    const clock = { boot: 'b00t0001', uptimeMs: 1_000, reportedAt: at(0) };
    fc.assert(
      fc.property(fc.nat(10 ** 8), fc.nat(10 ** 8), (a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        expect(deadlineOnUptime(clock, at(0), at(early))).toBeLessThanOrEqual(deadlineOnUptime(clock, at(0), at(late)));
      }),
    );
  });
});

describe('deadlineOf', () => {
  it('is the expiry or the timeout, whichever comes first', () => {
    expect(deadlineOf(at(0), at(10_000), 15_000)).toEqual(at(10_000));
    expect(deadlineOf(at(0), at(86_400_000), 15_000)).toEqual(at(15_000));
  });
});

describe('writeOrder', () => {
  it('writes exactly the documented members', () => {
    const text = writeOrder({
      commandId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
      deviceId: '019a9f3e-2c10-7a01-8f52-90d1c3a7b6e4',
      name: 'unlock_door',
      payload: { durationMs: 5_000 },
      counter: 7,
      issuedAt: at(0),
      deadline: at(15_000),
      clock: { boot: 'b00t0001', uptimeMs: 60_000, reportedAt: at(-5_000) },
    });
    expect(JSON.parse(text)).toEqual({
      commandId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
      name: 'unlock_door',
      payload: { durationMs: 5_000 },
      deviceId: '019a9f3e-2c10-7a01-8f52-90d1c3a7b6e4',
      boot: 'b00t0001',
      counter: 7,
      expiresAtUptimeMs: 79_800,
      issuedAt: '2026-11-20T18:00:00.000Z',
      expiresAt: '2026-11-20T18:00:15.000Z',
    });
  });
});
