/**
 * The partitions of the event log: made, filled from the default partition, dropped, whoever does it and in whatever order.
 *
 * Seen to fail before events were moved out of the default partition: no partition was made at all where it held an event of
 * its time. With only the default partition locked for the move, readers saw 21 and 22 of 24 events.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type {
  EventPartition,
  EventPartitionStore,
} from '../../src/platform/events/partitions/event-partition-store.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Database } from '../../src/platform/prisma/database.js';
import { PartitionedLog } from '../support/partitioned-log.js';
import { PartitionUpkeep, type UpkeepOptions } from '../support/partition-upkeep.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const DAY_MS = 86_400_000;
const DEVICE = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

let log: PartitionedLog;
let node: TestApp;
let store: EventPartitionStore;
/** Outside of the application. */
let sql: Sql;

beforeAll(async () => {
  log = await PartitionedLog.start();
  ({ node, store, sql } = log);
});
afterAll(() => log.stop());
beforeEach(async () => {
  await dropPartitions(100);
  await sql.rows('TRUNCATE events, event_readers');
});

/** The youngest ones. */
async function dropPartitions(count: number): Promise<void> {
  for (const { name } of (await partitions()).reverse().slice(0, count)) {
    await sql.rows(`DROP TABLE ${name}`);
  }
}

const upkeep = (options?: UpkeepOptions): Promise<PartitionUpkeep> => PartitionUpkeep.of(node, options);
const partitions = async (): Promise<EventPartition[]> =>
  (await store.list()).partitions.sort((a, b) => a.from - b.from);

/** Events 400 days apart are of two years, so of two partitions, on whatever day this runs. */
const insert = (...ages: readonly number[]): Promise<void> => log.insert(ages, DEVICE);

/** So many events, a millisecond apart, of one year: they end in the July of the year before last. */
const insertMany = (count: number): Promise<unknown> =>
  sql.rows(
    `INSERT INTO events (type, source, actor, payload, received_at)
     SELECT 'custom', 'system', 'system', '{}',
       date_trunc('year', now(), 'UTC') - interval '18 months' - n * interval '1 millisecond'
     FROM generate_series(1, $1) n`,
    [count],
  );

/** Every event with its place in the log, and the partition it lies in. */
const places = (): Promise<{ age: string; xid: string; id: string; lies: string }[]> =>
  sql.rows(
    `SELECT payload->>'age' AS age, xid::text, id::text, tableoid::regclass::text AS lies FROM events ORDER BY xid, id`,
  );

function expectWhole(spans: readonly EventPartition[], days: number): void {
  const now = Date.now();
  spans.slice(1).forEach((span, index) => {
    expect(span.from).toBeGreaterThanOrEqual(spans[index]?.to ?? Infinity);
  });
  for (let day = 0; day <= days; day++) {
    const at = now + day * DAY_MS;
    expect(spans.filter(({ from, to }) => from <= at && at < to)).toHaveLength(1);
  }
}

describe('the partitions of the event log', () => {
  it('are made ahead of time, once, however many processes are at it', async () => {
    const processes = await Promise.all([1, 2, 3].map(() => upkeep({ days: 90 })));
    await Promise.all(processes.map((each) => each.maintain()));
    await processes[0]?.maintain();
    expect(await partitions()).toHaveLength(5);
    const made = await Promise.all(processes.map((each) => each.partitions('made')));
    expect(made.reduce((sum, count) => sum + count)).toBe(5);
    expectWhole(await partitions(), 28);
    expect(await processes[0]?.health()).toEqual({ partitions: 5, width: 'week' });
  });

  it('take the events out of the default partition that found none, years old and to come', async () => {
    await insert(700, 31, 1, -50, -300);
    const before = await places();
    expect(before.map(({ lies }) => lies === 'events_default')).toEqual([true, true, true, true, true]);
    const process = await upkeep();
    expect(await process.maintain()).toBe(false);
    const after = await places();
    expect(after).toEqual(before.map((place) => ({ ...place, lies: expect.any(String) })));
    expect(after.filter(({ lies }) => lies === 'events_default')).toEqual([]);
    expect(await process.defaultRows()).toBe(0);
    const { items } = await node.get(EventLog).page({ deviceIds: [DEVICE], order: 'desc', limit: 10 });
    expect(items.map(({ payload }) => (payload as { age: number }).age)).toEqual([-300, -50, 1, 31, 700]);
  });

  it('are as wide as ever however many events are moved, with every index, and without a trace of the move', async () => {
    await insertMany(50_001);
    const process = await upkeep();
    // A busy machine moves them in several turns.
    await eventually('all are moved', async () => !(await process.maintain()) && (await process.defaultRows()) === 0);
    const thisYear = Date.UTC(new Date().getUTCFullYear(), 0);
    const [old, ...rest] = (await partitions()).filter(({ to }) => to < thisYear);
    expect(rest).toEqual([]);
    const shape = (table: string): Promise<object[]> =>
      sql.rows(
        `SELECT (SELECT count(*)::int FROM pg_index WHERE indrelid = c.oid AND indisvalid) AS indexes,
           (SELECT count(*)::int FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c') AS checks
         FROM pg_class c WHERE c.oid = $1::regclass`,
        [table],
      );
    expect(await shape(old?.name ?? '')).toEqual(await shape('events'));
    expect(await sql.rows(`SELECT count(*)::int AS n FROM ${old?.name ?? ''}`)).toEqual([{ n: 50_001 }]);
  });

  it('are left to an operator where the move would hold up the others for too long, and the alarm stays', async () => {
    await insert(800, 400, 400, 400);
    const count = store.countDefaultRows.bind(store);
    // A million in production.
    store.countDefaultRows = async (limit, span) => (await count(limit, span)) + (span ? limit - 3 : 0);
    const process = await upkeep();
    expect(await process.maintain().finally(() => (store.countDefaultRows = count))).toBe(false);
    expect((await places()).map(({ lies }) => lies === 'events_default')).toEqual([false, true, true, true]);
    await expect(process.health()).rejects.toMatchObject({ details: { events: 3, failures: 1 } });
  });

  it('hide no event and show none twice while a writer, readers and the move meet', async () => {
    await insert(...Array.from({ length: 24 }, (_, n) => 200 + n * 40));
    const counts = new Set<number>();
    let moving = true;
    const read = async (): Promise<void> => {
      while (moving) {
        const rows = await node
          .get(Database)
          .query<{ n: number }>('test_count', `SELECT count(*)::int AS n FROM events WHERE device_id = $1`, [DEVICE]);
        counts.add(rows[0]?.n ?? 0);
      }
    };
    const readers = [1, 2, 3].map(read);
    const process = await upkeep({ days: 1_800 });
    // A reader that is in the way ends a round.
    while ((await process.maintain()) || (await process.defaultRows()) > 0) {
      // Until all are moved.
    }
    moving = false;
    await Promise.all(readers);
    expect([...counts]).toEqual([24]);
    expect(await process.defaultRows()).toBe(0);
  });

  it('are made although one of them cannot be, and the alarm says so', async () => {
    await insert(800, 400);
    // Another table has the name that the first one would get.
    const [taken] = await sql.rows<{ name: string }>(
      `SELECT 'events_from_' || to_char(date_trunc('year', now() - interval '800 days'), 'YYYY') || '0101' AS name`,
    );
    await sql.rows(`CREATE TABLE ${taken?.name ?? ''} ()`);
    const process = await upkeep();
    await process.maintain();
    await sql.rows(`DROP TABLE ${taken?.name ?? ''}`);
    expect((await places()).map(({ lies }) => lies === 'events_default')).toEqual([true, false]);
    expect(await process.defaultRows()).toBe(1);
    await expect(process.health()).rejects.toThrow('events found no partition');
  });

  it('count what found none first, also while a long reader keeps any partition from being made', async () => {
    await insert(700);
    await sql.rows('BEGIN');
    await sql.rows('SELECT count(*) FROM events');
    const process = await upkeep();
    await process.maintain();
    expect(await process.defaultRows()).toBe(1);
    await expect(process.health()).rejects.toThrow('events found no partition');
    await sql.rows('COMMIT');
    await process.maintain();
    expect(await process.defaultRows()).toBe(0);
  });

  it('are left alone while another process is at it, without looking again at once', async () => {
    await insert(...Array.from({ length: 12 }, (_, n) => 400 * (n + 1)));
    await sql.rows(`SELECT pg_advisory_lock(hashtextextended('event_partitions', 0))`);
    const process = await upkeep({ days: 8_000 });
    expect(await process.maintain()).toBe(false);
    await sql.rows(`SELECT pg_advisory_unlock(hashtextextended('event_partitions', 0))`);
    expect(await process.maintain()).toBe(true);
    expect(await process.maintain()).toBe(false);
    expect(await process.defaultRows()).toBe(0);
  });

  it('get another width when the retention changes: the old ones stay, without a gap or an overlap', async () => {
    for (const [days, longest] of [
      [90, 7],
      [730, 92],
      [3_650, 366],
      [90, 7],
    ] as const) {
      await dropPartitions(2);
      await (await upkeep({ days })).maintain();
      const spans = await partitions();
      expectWhole(spans, 28);
      expect(Math.max(...spans.map(({ from, to }) => to - from))).toBeLessThanOrEqual(longest * DAY_MS);
    }
  });

  it('are left out by PostgreSQL where a query is bounded in time', async () => {
    await (await upkeep({ days: 90 })).maintain();
    const plan = await sql.rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT FROM events WHERE received_at >= now() - interval '1 minute' AND received_at < now()`,
    );
    expect((await partitions()).length).toBeGreaterThan(3);
    expect(plan.filter((line) => line['QUERY PLAN'].includes('Scan on events_')).length).toBeLessThanOrEqual(3);
  });

  it('are warned of when they do not fit into the lock table, whose connections all processes share', async () => {
    const { indexes, locks } = await store.lockRoom();
    // Of a retention of 90 days: 13 weeks and the one of now in use in part, four ahead; the log and its default partition.
    const poolSize = Math.floor(locks / ((13 + 1 + 4 + 2) * (1 + indexes)) / 2);
    const process = await upkeep({ days: 90, poolSize });
    await process.maintain();
    expect(await process.health()).toMatchObject({ width: 'week' });
    const url = new URL(log.databaseUrl);
    url.searchParams.set('application_name', 'mortise:health:api');
    const others = await Promise.all([1, 2, 3].map(() => Sql.open(url.href)));
    await process.maintain();
    await expect(process.health()).rejects.toThrow('max_locks_per_transaction is too low');
    await Promise.all(others.map((other) => other.end()));
  });
});
