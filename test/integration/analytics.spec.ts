/**
 * Answers of analyses beside the same question to the events themselves, in zones whose clocks are set in between; and whose events they
 * count.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { ReaderBatchService } from '../../src/platform/events/reader-batch.service.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { CacheKeys, isHit, warm } from '../support/cache.fixture.js';
import type { AnswerOrProblem } from '../support/organizations.fixture.js';
import { scaled, SEED } from '../support/promise.js';
import { SharingFixture } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

interface Chart {
  readonly from: string;
  readonly until: string;
  readonly bucket: string;
  readonly labels: string[];
  readonly series: { name: string; deviceId?: string; values: number[] }[];
  readonly figures: { name: string; current: number; previous: number }[];
  readonly items: { deviceId: string; seconds: number; count: number; uptimePercent: number | null }[];
  readonly byType: { type: string; events: number }[];
  readonly byHour: { series: { values: number[] }[] };
  readonly byWeekday: { series: { values: number[] }[] };
}

const HOUR_MS = 3_600_000;
const EVENTS = scaled(4_000, 40_000);
const RUNS = scaled(24, 300);
/** Zones, and a moment near which their clocks are set, or none. */
const ZONES: readonly (readonly [string, string])[] = [
  ['Europe/Berlin', '2025-10-26T01:00Z'],
  ['America/St_Johns', '2025-11-02T04:30Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30Z'],
  ['Asia/Kathmandu', '2025-10-15T18:15Z'],
];
const FIRST = Date.parse('2025-10-01T00:00Z');
const LAST = Date.parse('2025-11-05T00:00Z');
const HANDED_ON_AT = '2025-10-20T10:05:00.123Z';

let fixture: SharingFixture;
let keys: CacheKeys;
let ada: InsertedAccount;
let bob: InsertedAccount;
let doors: string[];
let handedOn: string;
let hisDoor: string;

const NOT_CACHED = { 'cache-control': 'no-store' };

function ask(who: InsertedAccount, path: string, headers = NOT_CACHED): Promise<AnswerOrProblem<Chart>> {
  return fixture.request<Chart>(who, 'GET', `/analytics${path}`, undefined, headers);
}

async function countAll(): Promise<void> {
  const [reader] = fixture.application
    .get(DurableReaderRegistry)
    .list()
    .filter(({ name }) => name === 'event_counts');
  const behind = `SELECT FROM events e WHERE (e.xid, e.id) > (SELECT xid, event_id FROM event_readers WHERE name = 'event_counts') LIMIT 1`;
  await eventually('everything is counted', async () => {
    await fixture.application.get(ReaderBatchService).applyNext({ ...reader!, batchSize: 2_000 });
    return (await fixture.sql.rows(behind)).length === 0;
  });
}

/** At random times, half of them near the moments at which clocks are set. */
const insertEvents = (devices: readonly string[], count: number, seed: number): Promise<unknown> =>
  fixture.sql.rows(
    `WITH seeded AS MATERIALIZED (SELECT setseed($6)), n AS MATERIALIZED (
       SELECT n, random() AS at, random() AS late, floor(random() * cardinality($1::uuid[]))::int + 1 AS device,
         floor(random() * 8)::int + 1 AS type, floor(random() * cardinality($5::timestamptz[]))::int + 1 AS near
       FROM seeded, generate_series(1, $2::int) AS n)
     INSERT INTO events (received_at, occurred_at, type, source, device_id, actor, payload)
     SELECT t.at, t.at - n.late * interval '2 hours', k.type, 'mqtt', ($1::uuid[])[n.device], 'system', k.payload
     FROM n, LATERAL (SELECT date_trunc('milliseconds', CASE WHEN n.n % 2 = 0 THEN $3::timestamptz + n.at * ($4::timestamptz - $3::timestamptz)
         ELSE ($5::timestamptz[])[n.near] + (n.at - 0.5) * interval '12 hours' END) AS at) AS t,
       LATERAL (SELECT (ARRAY['door_status_changed', 'door_status_changed', 'door_status_changed', 'motion_detected', 'command_created',
           'command_executed', 'command_timed_out', 'low_battery'])[n.type] AS type,
         (ARRAY['{"lockState": "unlocked"}', '{"lockState": "locked", "doorState": "closed"}', '{"doorState": "open"}', '{}',
           '{"name": "lock_door"}', '{"name": "unlock_door"}', '{"name": "unlock_door"}', '{}'])[n.type]::jsonb AS payload) AS k
     ORDER BY t.at`,
    [devices, count, new Date(FIRST), new Date(LAST), ZONES.map(([, moment]) => moment), (seed % 1_000) / 1_000],
  );

beforeAll(async () => {
  fixture = await SharingFixture.start({ ROLES: 'api', RETENTION_EVENTS: '36500d', RETENTION_ROLLUPS: '36500d' });
  keys = CacheKeys.open(fixture.application.redisUrl);
  [ada, bob] = await Promise.all([fixture.createAccount('ada'), fixture.createAccount('bob')]);
  const register = async (who: InsertedAccount): Promise<string> => (await fixture.registerDevice(who)).id;
  doors = [await register(ada), await register(ada)];
  handedOn = await register(ada);
  hisDoor = await register(bob);
  await fixture.sql.rows(`UPDATE devices SET created_at = '2025-09-01Z', owned_since = '2025-09-01Z'`);
  await fixture.sql.rows('UPDATE devices SET owned_since = $2 WHERE id = $1', [handedOn, HANDED_ON_AT]);
  await insertEvents([...doors, handedOn, hisDoor], EVENTS, SEED);
  await countAll();
}, 60_000);

afterAll(async () => {
  keys.close();
  await fixture.stop();
});

const LOCAL = {
  quarter: (time: string): string => `date_bin('15 minutes', ${time} AT TIME ZONE $1, '2000-01-01')`,
  other: (time: string): string => `date_trunc($2, ${time} AT TIME ZONE $1)`,
};

/** What a person may be shown of the events in a time. */
const SHOWN = `FROM events e JOIN devices d ON d.id = e.device_id WHERE e.device_id = ANY ($5::uuid[])
  AND e.received_at >= $3 AND e.received_at < $4
  AND (d.owned_since = d.created_at OR e.received_at >= d.owned_since AND e.occurred_at >= d.owned_since)`;
const FIGURES = `count(*)::int AS events,
  count(*) FILTER (WHERE e.type = 'door_status_changed' AND e.payload->>'lockState' = 'unlocked')::int AS unlocks,
  count(*) FILTER (WHERE e.payload->>'doorState' = 'open')::int AS openings,
  count(*) FILTER (WHERE e.type = 'command_timed_out')::int AS "commandsFailed"`;
const NAMES = ['events', 'unlocks', 'openings', 'commandsFailed'] as const;

/** The same course by the events alone, and by what PostgreSQL says of the zone; an hour that comes twice differs in its offset. */
async function courseByEvents(chart: Chart, timeZone: string, devices: readonly string[]): Promise<number[][]> {
  const { bucket, from, until, labels } = chart;
  const local = bucket === 'quarter' ? LOCAL.quarter : LOCAL.other;
  const hasOffset = bucket === 'quarter' || bucket === 'hour';
  const key = (time: string): string =>
    `${local(time)}::text || ${hasOffset ? `((${time} AT TIME ZONE $1) - (${time} AT TIME ZONE 'UTC'))::text` : `''`} || left($2, 0)`;
  const rows = await fixture.sql.rows<Record<string, number>>(
    `WITH raw AS (SELECT ${key('e.received_at')} AS key, ${FIGURES} ${SHOWN} GROUP BY 1)
     SELECT coalesce(events, 0) AS events, coalesce(unlocks, 0) AS unlocks, coalesce(openings, 0) AS openings,
       coalesce("commandsFailed", 0) AS "commandsFailed", (SELECT sum(events)::int FROM raw) AS total
     FROM unnest($6::timestamptz[]) WITH ORDINALITY AS l(at, place) LEFT JOIN raw ON raw.key = ${key('l.at')} ORDER BY l.place`,
    [timeZone, bucket, from, until, devices, labels],
  );
  const [first] = rows;
  expect(rows.reduce((sum, row) => sum + (row.events ?? 0), 0)).toBe(first?.total ?? 0);
  return NAMES.map((name) => rows.map((row) => row[name] ?? 0));
}

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
        expect(NAMES.map((name) => seriesOf(chart, name))).toEqual(await courseByEvents(chart, timeZone, mine));
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
    const after = await ask(guest, `/dashboard?${all}`, {} as typeof NOT_CACHED);
    expect([isHit(after), after.body.figures[0]?.current]).toEqual([false, 0]);
    expect((await ask(guest, `/devices/${door}/usage`)).status).toBe(404);
    expect((await ask(guest, `/comparison?deviceIds=${door},${hisDoor}`)).status).toBe(404);
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
    await countAll();
    const [hers, his] = await Promise.all([ada, bob].map((who) => ask(who, '/trends', {} as typeof NOT_CACHED)));
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
