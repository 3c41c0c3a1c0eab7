import { expect } from '@jest/globals';
import { DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { ReaderBatchService } from '../../src/platform/events/reader-batch.service.js';
import type { InsertedAccount } from './accounts.fixture.js';
import { CacheKeys } from './cache.fixture.js';
import type { AnswerOrProblem } from './organizations.fixture.js';
import { scaled, SEED } from './promise.js';
import { SharingFixture } from './sharing.fixture.js';
import { eventually } from './wait.js';

/** An answer of an analysis, whichever it is. */
export interface Chart {
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

const EVENTS = scaled(4_000, 40_000);
/** Zones, and a moment near which their clocks are set, or none. */
export const ZONES: readonly (readonly [string, string])[] = [
  ['Europe/Berlin', '2025-10-26T01:00Z'],
  ['America/St_Johns', '2025-11-02T04:30Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30Z'],
  ['Asia/Kathmandu', '2025-10-15T18:15Z'],
];
export const FIRST = Date.parse('2025-10-01T00:00Z');
export const LAST = Date.parse('2025-11-05T00:00Z');
const HANDED_ON_AT = '2025-10-20T10:05:00.123Z';

/** Leaves the cache alone. */
const NOT_CACHED: Readonly<Record<string, string>> = { 'cache-control': 'no-store' };

const LOCAL = {
  quarter: (time: string): string => `date_bin('15 minutes', ${time} AT TIME ZONE $1, '2000-01-01')`,
  other: (time: string): string => `date_trunc($2, ${time} AT TIME ZONE $1)`,
};

/** What a person may be shown of the events in a time. */
export const SHOWN = `FROM events e JOIN devices d ON d.id = e.device_id WHERE e.device_id = ANY ($5::uuid[])
  AND e.received_at >= $3 AND e.received_at < $4
  AND (d.owned_since = d.created_at OR e.received_at >= d.owned_since AND e.occurred_at >= d.owned_since)`;
export const FIGURES = `count(*)::int AS events,
  count(*) FILTER (WHERE e.type = 'door_status_changed' AND e.payload->>'lockState' = 'unlocked')::int AS unlocks,
  count(*) FILTER (WHERE e.payload->>'doorState' = 'open')::int AS openings,
  count(*) FILTER (WHERE e.type = 'command_timed_out')::int AS "commandsFailed"`;
export const NAMES = ['events', 'unlocks', 'openings', 'commandsFailed'] as const;

/** People with devices, of which random events are counted. */
export class AnalyticsFixture {
  private constructor(
    readonly sharing: SharingFixture,
    readonly keys: CacheKeys,
    readonly ada: InsertedAccount,
    readonly bob: InsertedAccount,
    /** Hers. */
    readonly doors: readonly string[],
    /** Hers, and another one's before. */
    readonly handedOn: string,
    readonly hisDoor: string,
  ) {}

  static async start(): Promise<AnalyticsFixture> {
    const sharing = await SharingFixture.start({
      ROLES: 'api',
      RETENTION_EVENTS: '36500d',
      RETENTION_ROLLUPS: '36500d',
    });
    const keys = CacheKeys.open(sharing.application.redisUrl);
    const [ada, bob] = await Promise.all([sharing.createAccount('ada'), sharing.createAccount('bob')]);
    const register = async (who: InsertedAccount): Promise<string> => (await sharing.registerDevice(who)).id;
    const doors = [await register(ada), await register(ada)];
    const [handedOn, hisDoor] = [await register(ada), await register(bob)];
    await sharing.sql.rows(`UPDATE devices SET created_at = '2025-09-01Z', owned_since = '2025-09-01Z'`);
    await sharing.sql.rows('UPDATE devices SET owned_since = $2 WHERE id = $1', [handedOn, HANDED_ON_AT]);
    const fixture = new AnalyticsFixture(sharing, keys, ada, bob, doors, handedOn, hisDoor);
    await fixture.insertEvents([...doors, handedOn, hisDoor], EVENTS, SEED);
    await fixture.countAll();
    return fixture;
  }

  async stop(): Promise<void> {
    this.keys.close();
    await this.sharing.stop();
  }

  ask(who: InsertedAccount, path: string, headers = NOT_CACHED): Promise<AnswerOrProblem<Chart>> {
    return this.sharing.request<Chart>(who, 'GET', `/analytics${path}`, undefined, headers);
  }

  async countAll(): Promise<void> {
    const [reader] = this.sharing.application
      .get(DurableReaderRegistry)
      .list()
      .filter(({ name }) => name === 'event_counts');
    const behind = `SELECT FROM events e WHERE (e.xid, e.id) > (SELECT xid, event_id FROM event_readers WHERE name = 'event_counts') LIMIT 1`;
    await eventually('everything is counted', async () => {
      await this.sharing.application.get(ReaderBatchService).applyNext({ ...reader!, batchSize: 2_000 });
      return (await this.sharing.sql.rows(behind)).length === 0;
    });
  }

  /** The same course by the events alone, and by what PostgreSQL says of the zone; an hour that comes twice differs in its offset. */
  async courseByEvents(chart: Chart, timeZone: string, devices: readonly string[]): Promise<number[][]> {
    const { bucket, from, until, labels } = chart;
    const local = bucket === 'quarter' ? LOCAL.quarter : LOCAL.other;
    const hasOffset = bucket === 'quarter' || bucket === 'hour';
    const key = (time: string): string =>
      `${local(time)}::text || ${hasOffset ? `((${time} AT TIME ZONE $1) - (${time} AT TIME ZONE 'UTC'))::text` : `''`} || left($2, 0)`;
    const rows = await this.sharing.sql.rows<Record<string, number>>(
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

  /** At random times, half of them near the moments at which clocks are set. */
  private insertEvents(devices: readonly string[], count: number, seed: number): Promise<unknown> {
    return this.sharing.sql.rows(
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
  }
}
