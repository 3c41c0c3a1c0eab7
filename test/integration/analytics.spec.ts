/**
 * Answers of analyses beside the same question to the events themselves, in zones whose clocks are set in between; and whose events they
 * count.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { AnalyticsRepository } from '../../src/features/analytics/reading/analytics.repository.js';
import { Database } from '../../src/platform/prisma/database.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import {
  AnalyticsFixture,
  type Chart,
  FIGURES,
  FIRST,
  LAST,
  NAMES,
  SHOWN,
  ZONES,
} from '../support/analytics.fixture.js';
import { type CacheKeys, isHit, warm } from '../support/cache.fixture.js';
import { scaled, SEED } from '../support/promise.js';
import { closedHours, type SharingFixture } from '../support/sharing.fixture.js';

const HOUR_MS = 3_600_000;
const RUNS = scaled(24, 300);
let analytics: AnalyticsFixture;
let fixture: SharingFixture;
let keys: CacheKeys;
let ada: InsertedAccount;
let bob: InsertedAccount;
let doors: readonly string[];
let handedOn: string;
let hisDoor: string;

const ask: AnalyticsFixture['ask'] = (...asked) => analytics.ask(...asked);

beforeAll(async () => {
  analytics = await AnalyticsFixture.start();
  ({ sharing: fixture, keys, ada, bob, doors, handedOn, hisDoor } = analytics);
}, 60_000);

afterAll(() => analytics.stop());

const seriesOf = (chart: Chart, name: string): number[] | undefined =>
  chart.series.find((each) => each.name === name)?.values;

const query = (values: Readonly<Record<string, string>>): string => new URLSearchParams(values).toString();

/** Custom periods: near a change of clocks, or anywhere, from and until any millisecond. */
const PERIODS = fc.record({
  zone: fc.constantFrom(...ZONES),
  isNear: fc.boolean(),
  begin: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.double({ min: 0, max: 1, noNaN: true }),
  bucket: fc.constantFrom('quarter', 'hour', 'day', 'week', 'month'),
});

describe('An analysis', () => {
  it('equals the events, whatever the zone, the edges and the points', async () => {
    await fc.assert(
      fc.asyncProperty(PERIODS, async ({ zone: [timeZone, moment], isNear, begin, length, bucket }) => {
        const isShort = bucket === 'quarter' || bucket === 'hour';
        const from = isNear
          ? Date.parse(moment) - Math.floor(begin * 30 * HOUR_MS)
          : FIRST + Math.floor(begin * (LAST - FIRST));
        const until = from + 1 + Math.floor(length * (isShort ? 150 * HOUR_MS : LAST - FIRST));
        const period = {
          period: 'custom',
          from: new Date(from).toISOString(),
          until: new Date(until).toISOString(),
          timeZone,
        };
        const { status, body: chart } = await ask(ada, `/trends?${query({ ...period, bucket })}`);
        expect([status, chart.from, chart.until, chart.bucket]).toEqual([200, period.from, period.until, bucket]);
        const mine = [...doors, handedOn];
        expect(NAMES.map((name) => seriesOf(chart, name))).toEqual(
          await analytics.courseByEvents(chart, timeZone, mine),
        );
        const { body: board } = await ask(ada, `/dashboard?${query(period)}`);
        const sums = NAMES.map((name) => seriesOf(chart, name)?.reduce((sum, value) => sum + value, 0));
        expect(NAMES.map((name) => board.figures.find((figure) => figure.name === name)?.current)).toEqual(sums);
        const [previous] = await fixture.sql.rows(
          `SELECT ${FIGURES} ${SHOWN.replace('$5', '$3').replace('$3 AND', '$1 AND').replace('< $4', '< $2')}`,
          [new Date(2 * from - until), new Date(from), mine],
        );
        expect(NAMES.map((name) => board.figures.find((figure) => figure.name === name)?.previous)).toEqual(
          NAMES.map((name) => previous?.[name] as number),
        );
        const { body: spread } = await ask(ada, `/distribution?${query(period)}`);
        const clock = await fixture.sql.rows<{ hour: number; weekday: number; events: number }>(
          `SELECT extract(hour FROM e.received_at AT TIME ZONE $1)::int AS hour, extract(isodow FROM e.received_at AT TIME ZONE $1)::int AS weekday,
             count(*)::int AS events, $2::text ${SHOWN} GROUP BY 1, 2`,
          [timeZone, '', period.from, period.until, mine],
        );
        const sum = (rows: readonly { events: number }[]): number => rows.reduce((all, { events }) => all + events, 0);
        const spreadOf = (of: (row: { hour: number; weekday: number }) => number, size: number): number[] =>
          Array.from({ length: size }, (_, place) => sum(clock.filter((row) => of(row) === place)));
        expect(spread.byHour.series[0]?.values).toEqual(spreadOf(({ hour }) => hour, 24));
        expect(spread.byWeekday.series[0]?.values).toEqual(spreadOf(({ weekday }) => weekday - 1, 7));
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
  }, 120_000);

  it.each([
    ['Europe/Berlin', '2025-10-25T22:00:00Z', '2025-10-26T23:00:00Z', 25],
    ['Australia/Lord_Howe', '2025-10-04T13:30:00Z', '2025-10-05T13:00:00Z', 24],
    ['America/St_Johns', '2025-11-02T02:30:00Z', '2025-11-03T03:30:00Z', 25],
    ['Asia/Kathmandu', '2025-10-15T18:15:00Z', '2025-10-16T18:15:00Z', 24],
  ])('of a day in %s has its hours', async (timeZone, from, until, hours) => {
    const { body } = await ask(ada, `/trends?${query({ period: 'custom', from, until, timeZone })}`);
    expect(body.labels).toHaveLength(hours);
    expect(new Set(body.labels).size).toBe(hours);
    expect(body.labels[0]).toMatch(/T00:00:00/);
    const { body: day } = await ask(
      ada,
      `/trends?${query({ period: 'custom', from, until, timeZone, bucket: 'day' })}`,
    );
    expect(day.labels).toEqual([body.labels[0]]);
  });

  it('of a device, a comparison and the doors unlocked most often agree with the events of each', async () => {
    const period = query({
      period: 'custom',
      from: new Date(FIRST).toISOString(),
      until: new Date(LAST).toISOString(),
    });
    const unlocks = async (devices: readonly string[]): Promise<number> => {
      const [row] = await fixture.sql.rows<{ unlocks: number }>(`SELECT ${FIGURES}, $1::text, $2::text ${SHOWN}`, [
        '',
        '',
        new Date(FIRST),
        new Date(LAST),
        devices,
      ]);
      return row?.unlocks ?? 0;
    };
    const each = await Promise.all([...doors, handedOn].map(async (id) => ({ id, unlocks: await unlocks([id]) })));
    for (const { id, unlocks: expected } of each) {
      const { body } = await ask(ada, `/devices/${id}/usage?${period}`);
      expect(body.figures.find(({ name }) => name === 'unlocks')?.current).toBe(expected);
    }
    const ids = each.map(({ id }) => id);
    const { body: compared } = await ask(ada, `/comparison?${period}&measure=unlocks&deviceIds=${ids.join(',')}`);
    expect(
      compared.series.map(({ deviceId, values }) => [deviceId, values.reduce((sum, value) => sum + value, 0)]),
    ).toEqual(each.map(({ id, unlocks: expected }) => [id, expected]));
    const { body: top } = await ask(ada, `/top-doors?${period}&limit=2`);
    const most = each.map(({ unlocks: count }) => count).sort((a, b) => b - a);
    expect(top.items.map(({ count }) => count)).toEqual(most.slice(0, 2));
  });

  it('is asked in a session that compiles no statement, which takes longer than a statement does', async () => {
    const rows = await fixture.application.get(Database).query('test_jit', 'SHOW jit');
    expect(rows).toEqual([{ jit: 'off' }]);
  });

  it('of many devices is read at once, because most of them may be quiet', async () => {
    const query = jest.spyOn(fixture.application.get(Database), 'query');
    const [from, until] = [Date.parse('2025-10-01Z'), Date.parse('2025-10-31Z')];
    const starts = Array.from({ length: 30 }, (_, day) => from + day * 24 * HOUR_MS);
    for (const length of [10, 40]) {
      const devices = Array.from({ length }, () => ({ id: randomUUID(), name: '', since: null }));
      const asked = { devices, whole: { from, until }, edges: [], keptSince: 0 };
      await fixture.application.get(AnalyticsRepository).listCounts({ ...asked, division: { by: 'bucket', starts } });
    }
    const names = query.mock.calls.map(([name]) => name).filter((name) => name.startsWith('event_counts_by'));
    expect(names).toEqual(['event_counts_by_bucket_summed', 'event_counts_by_bucket']);
    query.mockRestore();
  });

  it('adds up how long devices were offline, and in which hours', async () => {
    await fixture.sql.rows(
      `INSERT INTO device_offline_periods (device_id, began_at, ended_at) VALUES
         ($1, '2025-10-10T09:30Z', '2025-10-10T11:15Z'), ($1, '2025-10-10T11:45Z', '2025-10-10T12:00Z'), ($2, '2025-10-10T08:00Z', '2025-10-10T10:30Z')`,
      [doors[0], hisDoor],
    );
    await fixture.sql.rows(`UPDATE devices SET status = 'online' WHERE id = $1`, [doors[0]]);
    const { body } = await ask(
      ada,
      `/offline?${query({ period: 'custom', from: '2025-10-10T10:00:00Z', until: '2025-10-10T14:00:00Z' })}`,
    );
    expect(body.items.find(({ deviceId }) => deviceId === doors[0])).toMatchObject({
      seconds: 5_400,
      periods: 2,
      uptimePercent: 62.5,
    });
    expect(body.items.some(({ deviceId }) => deviceId === hisDoor)).toBe(false);
    expect(body.series[0]?.values.reduce((sum, value) => sum + value, 0)).toBe(5_400);
  });

  it.each([
    ['/trends?period=custom', 'invalid_period'],
    ['/trends?period=7d&from=2025-10-01T00:00:00Z', 'invalid_period'],
    ['/trends?period=custom&from=2025-10-02T00:00:00Z&until=2025-10-01T00:00:00Z', 'invalid_period'],
    ['/trends?period=custom&from=1970-01-01T00:00:00Z&bucket=quarter', 'too_many_points'],
    ['/trends?period=custom&from=2025-10-01T00:00:00Z&until=2025-11-20T00:00:00Z&bucket=hour', 'too_many_points'],
  ])('refuses %s as %s', async (path, code) => {
    const { status, body } = await ask(ada, path);
    expect([status, body.code]).toEqual([400, code]);
  });
});

describe('The devices of others', () => {
  const all = query({ period: 'custom', from: new Date(FIRST).toISOString(), until: new Date(LAST).toISOString() });
  const eventsOf = async (who: InsertedAccount): Promise<number | undefined> =>
    (await ask(who, `/dashboard?${all}`)).body.figures.find(({ name }) => name === 'events')?.current;

  it('count while they are shared and no longer, and looking at one leaves an entry', async () => {
    const guest = await fixture.createAccount('guest');
    expect(await eventsOf(guest)).toBe(0);
    const [door = ''] = doors;
    const share = await fixture.share(ada, door, guest, { permission: 'view' });
    const shared = (await ask(ada, `/devices/${door}/usage?${all}`)).body.figures[0]?.current;
    expect(await eventsOf(guest)).toBe(shared);
    expect((await ask(guest, `/devices/${door}/usage?${all}`)).body.figures[0]?.current).toBe(shared);
    const entries = await fixture.sql.rows(
      `SELECT FROM audit_entries WHERE action = 'device_usage_read' AND entity_id = $1`,
      [door],
    );
    expect(entries).toHaveLength(1);
    // From the cache, and not beyond the end of the share.
    await warm({ base: fixture.application.url, accessToken: guest.accessToken }, `/analytics/dashboard?${all}`, keys);
    await fixture.request(ada, 'DELETE', `/devices/${door}/shares/${share.body.id}`);
    const after = await ask(guest, `/dashboard?${all}`, {});
    expect([isHit(after), after.body.figures[0]?.current]).toEqual([false, 0]);
    expect((await ask(guest, `/devices/${door}/usage`)).status).toBe(404);
    expect((await ask(guest, `/comparison?deviceIds=${door},${hisDoor}`)).status).toBe(404);
  });

  it('count in the hours of a guest alone, and then all that happened at other hours, too', async () => {
    const guest = await fixture.createAccount('guest');
    const [, door = ''] = doors;
    const { body } = await fixture.share(ada, door, guest, { permission: 'view', schedule: closedHours() });
    const shown = async (): Promise<unknown[]> => {
      const [usage, top, live] = [
        await ask(guest, `/devices/${door}/usage?${all}`, {}),
        await ask(guest, `/top-doors?${all}`, {}),
        await ask(guest, '/live', {}),
      ];
      return [usage.status, top.body.items.map(({ deviceId }) => deviceId), live.status, await eventsOf(guest)];
    };
    expect(await shown()).toEqual([404, [], 200, 0]);
    const hers = (await ask(ada, `/devices/${door}/usage?${all}`)).body.figures[0]?.current;
    expect(hers).toBeGreaterThan(0);
    await fixture.changeShare(ada, { door, id: body.id }, { schedule: null });
    expect(await shown()).toEqual([200, [door], 200, hers]);
    await fixture.changeShare(ada, { door, id: body.id }, { schedule: closedHours() });
    expect(await shown()).toEqual([404, [], 200, 0]);
    const over = new Date(Date.now() - 60_000).toISOString();
    await fixture.sql.rows(`UPDATE device_shares SET schedule = NULL, valid_until = $2 WHERE id = $1`, [body.id, over]);
    expect(await shown()).toEqual([404, [], 200, 0]);
  });

  it('count for each member of the organization that has them, since they have their present owner, and for no other one', async () => {
    const { id } = await fixture.createOrganization(ada, 'Bakery');
    const viewer = await fixture.addMember(await fixture.createAccount('viewer'), 'VIEWER', id);
    const outsider = await fixture.createAccount('outsider');
    await fixture.createOrganization(outsider, 'Mill');
    expect(await eventsOf(viewer)).toBe(0);
    await fixture.sql.rows('UPDATE devices SET organization_id = $1 WHERE id = $2', [id, handedOn]);
    const hers = (await ask(ada, `/devices/${handedOn}/usage?${all}`)).body.figures[0]?.current;
    const [raw] = await fixture.sql.rows(`SELECT ${FIGURES}, $1::text, $2::text ${SHOWN}`, [
      '',
      '',
      new Date(FIRST),
      new Date(LAST),
      [handedOn],
    ]);
    expect(hers).toBe(raw?.events);
    expect([await eventsOf(viewer), await eventsOf(outsider)]).toEqual([hers, 0]);
    expect((await ask(viewer, `/devices/${handedOn}/usage?${all}`)).body.figures[0]?.current).toBe(hers);
    expect((await ask(outsider, `/devices/${handedOn}/usage?${all}`)).status).toBe(404);
    await fixture.sql.rows('DELETE FROM memberships WHERE user_id = $1', [viewer.id]);
    expect(await eventsOf(viewer)).toBe(0);
  });

  it('end no cached answer of another person, and those of their owner at once', async () => {
    const readers = [ada, bob].map(({ accessToken }) => ({ base: fixture.application.url, accessToken }));
    for (const reader of readers) {
      await warm(reader, '/analytics/trends', keys);
    }
    await fixture.sql.rows(
      `INSERT INTO events (type, source, device_id, actor, payload) VALUES ('motion_detected', 'mqtt', $1, 'system', '{}')`,
      [doors[0]],
    );
    await analytics.countAll();
    const [hers, his] = await Promise.all([ada, bob].map((who) => ask(who, '/trends', {})));
    expect(isHit(his!)).toBe(true);
    expect(isHit(hers!)).toBe(false);
    expect(seriesOf(hers!.body, 'motions')?.at(-1)).toBe(1);
    expect(seriesOf(his!.body, 'motions')?.at(-1)).toBe(0);
  });

  it('are not there for a device that does not exist, or is none', async () => {
    expect((await ask(bob, `/devices/${randomUUID()}/usage`)).status).toBe(404);
    expect((await ask(bob, `/comparison?deviceIds=${hisDoor},x`)).status).toBe(400);
  });
});
