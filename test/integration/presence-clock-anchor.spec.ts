import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keepsAnchor, LEAST_UPTIME_MS } from '../../src/features/presence/clock-anchor.types.js';
import { leastUptimeMs, nextAnchor, type UptimeReading } from '../../src/features/presence/domain/clock-anchor.js';
import { createTestDatabase } from '../support/postgres.js';
import { Sql } from '../support/sql.js';

type Database = Awaited<ReturnType<typeof createTestDatabase>>;

let database: Database;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = await Sql.open(database.url);
});

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const NOW = Date.parse('2026-11-30T16:00:00Z');
const reading = fc.record({ uptimeMs: fc.oneof(fc.nat(1_000_000), fc.nat(10 ** 12)), at: fc.nat(130_000) });
/** Two reports, often of one start. */
const pairs = fc.array(
  fc.record({
    anchor: reading,
    late: fc.nat(150_000),
    at: fc.integer({ min: -1_000, max: 130_000 }),
    any: reading,
    linked: fc.boolean(),
  }),
  { minLength: 500, maxLength: 500 },
);

describe('the anchor in SQL', () => {
  it('is the one of the rule', async () => {
    const [sample] = fc.sample(pairs, { numRuns: 1, seed: 8 });
    const cases = (sample ?? []).map(({ anchor, late, at, any, linked }): [UptimeReading, UptimeReading] => [
      anchor,
      linked ? { uptimeMs: Math.max(0, anchor.uptimeMs + at - late), at: anchor.at + at } : any,
    ]);
    const rows = await sql.rows<{ least: string; keeps: boolean | null }>(
      `SELECT ${LEAST_UPTIME_MS} AS least, ${keepsAnchor('boot_uptime_ms', 'boot_reported_at')} AS keeps
       FROM (
         SELECT NULL::timestamptz AS uptime_fell_at, u0 AS anchor_uptime_ms, u1 AS boot_uptime_ms,
           to_timestamp(t0 / 1000) AS anchor_at, to_timestamp(t1 / 1000) AS boot_reported_at
         FROM unnest($1::bigint[], $2::numeric[], $3::bigint[], $4::numeric[]) WITH ORDINALITY AS c(u0, t0, u1, t1, n) ORDER BY n
       ) d`,
      [
        cases.map(([anchor]) => anchor.uptimeMs),
        cases.map(([anchor]) => NOW + anchor.at),
        cases.map(([, newest]) => newest.uptimeMs),
        cases.map(([, newest]) => NOW + newest.at),
      ],
    );
    const kept = cases.map(([anchor, newest], index) => {
      const least = leastUptimeMs(newest, anchor);
      expect(Math.abs(Number(rows[index]?.least) - least)).toBeLessThanOrEqual(1);
      const keeps = nextAnchor(newest, anchor) === anchor;
      // On the very edge a rounded millisecond decides.
      if (Math.abs(least - newest.uptimeMs) !== 1) {
        expect(rows[index]?.keeps ?? false).toBe(keeps);
      }
      return keeps;
    });
    expect(kept.filter(Boolean).length).toBeGreaterThan(20);
    expect(kept.filter((keeps) => !keeps).length).toBeGreaterThan(20);
  });
});
