/**
 * The partitions of the event log: made, filled from the default partition, dropped, whoever does it and in whatever order.
 *
 * Seen to fail before strays were moved: no partition was made at all where the default one held an event of its time.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EventPartition, EventPartitionStore } from '../../src/platform/events/event-partition-store.js';
import { EventPartitionsService } from '../../src/platform/events/event-partitions.service.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { ReadinessRegistry } from '../../src/platform/health/readiness-registry.js';
import { Database } from '../../src/platform/prisma/database.js';
import { startEventLog } from '../support/events.fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';

const DAY_MS = 86_400_000;
const DEVICE = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

let database: TestDatabase;
let node: TestApp;
let sql: Sql;

beforeEach(async () => {
  database = await createTestDatabase();
  sql = await Sql.open(database.url);
});
afterEach(async () => {
  await node.stop();
  await sql.end();
  await database.drop();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  node = await startEventLog({
    databaseUrl: database.url,
    redisUrl: await emptyRedis(),
    env: { RETENTION_ROLLUPS: '36500d', ...env },
  });
}

const partitions = async (): Promise<EventPartition[]> =>
  (await node.get(EventPartitionStore).list()).partitions.sort((a, b) => a.from - b.from);
const maintain = (): Promise<boolean> => node.get(EventPartitionsService).maintain();
const health = () =>
  node
    .get(ReadinessRegistry)
    .dependencies.find(({ name }) => name === 'event_partitions')
    ?.check();

/** Events of these ages in days; negative: to come. */
async function insert(...ages: readonly number[]): Promise<void> {
  for (const age of ages) {
    await sql.rows(
      `INSERT INTO events (type, source, actor, device_id, payload, received_at)
       VALUES ('custom', 'system', 'system', $1, jsonb_build_object('age', $2::int), now() - $2 * interval '1 day')`,
      [DEVICE, age],
    );
  }
}

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
    await start();
    await sql.rows(`DO $$ DECLARE part regclass; BEGIN
      FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass
        AND inhrelid <> 'events_default'::regclass LOOP EXECUTE format('DROP TABLE %s', part); END LOOP; END $$`);
    await Promise.all([1, 2, 3].map(() => maintain()));
    await maintain();
    expect(await partitions()).toHaveLength(5);
    expectWhole(await partitions(), 28);
    expect(await health()).toEqual({ partitions: 5, width: 'week' });
  });

  it('take the events out of the default partition that found none, years old and to come', async () => {
    await start({ RETENTION_EVENTS: '3650d' });
    await insert(700, 31, 1, -50, -300);
    const before = await places();
    expect(before.map(({ lies }) => lies === 'events_default')).toEqual([true, true, true, true, true]);
    expect(await maintain()).toBe(false);
    const after = await places();
    expect(after).toEqual(before.map((place) => ({ ...place, lies: expect.any(String) })));
    expect(after.filter(({ lies }) => lies === 'events_default')).toEqual([]);
    expect(await node.metric('mortise_events_default_rows')).toBe(0);
    const { items } = await node.get(EventLog).page({ deviceIds: [DEVICE], order: 'desc', limit: 10 });
    expect(items.map(({ payload }) => (payload as { age: number }).age)).toEqual([-300, -50, 1, 31, 700]);
  });

  it('are shorter where too many events are to be moved at once', async () => {
    await start({ RETENTION_EVENTS: '3650d' });
    await sql.rows(`INSERT INTO events (type, source, actor, payload, received_at)
      SELECT 'custom', 'system', 'system', '{}', now() - interval '400 days' - n * interval '1 millisecond'
      FROM generate_series(1, 50500) n`);
    await maintain();
    expect(await node.metric('mortise_events_default_rows')).toBe(0);
    const old = (await partitions()).filter(({ to }) => to < Date.now() - 300 * DAY_MS);
    const [counted] = await sql.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM events WHERE received_at < now() - interval '300 days'`,
    );
    expect({ parts: old.length, n: counted?.n }).toEqual({ parts: 2, n: 50_500 });
  });

  it('hide no event and show none twice while a writer, readers and the move meet', async () => {
    await start({ RETENTION_EVENTS: '3650d' });
    await insert(...Array.from({ length: 40 }, (_, n) => 200 + n * 20));
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
    while (await maintain()) {
      // Until all are moved.
    }
    moving = false;
    await Promise.all(readers);
    expect([...counts]).toEqual([40]);
    expect(await node.metric('mortise_events_default_rows')).toBe(0);
  });

  it('are made although one of them cannot be, and the alarm says so', async () => {
    await start({ RETENTION_EVENTS: '3650d' });
    await insert(700, 400);
    // Another table has the name that the first one would get.
    const taken = await sql.rows<{ name: string }>(
      `SELECT 'events_from_' || to_char(date_trunc('year', now() - interval '700 days'), 'YYYY') || '0101' AS name`,
    );
    await sql.rows(`CREATE TABLE ${taken[0]?.name ?? ''} ()`);
    await maintain();
    expect((await places()).map(({ lies }) => lies === 'events_default')).toEqual([true, false]);
    expect(await node.metric('mortise_events_default_rows')).toBe(1);
    await expect(health()).rejects.toThrow('events found no partition');
  });

  it('count the strays first, also while a long reader keeps any partition from being made', async () => {
    await start();
    await insert(40);
    await sql.rows('BEGIN');
    await sql.rows('SELECT count(*) FROM events');
    await maintain();
    expect(await node.metric('mortise_events_default_rows')).toBe(1);
    await expect(health()).rejects.toThrow('events found no partition');
    await sql.rows('COMMIT');
    await maintain();
    expect(await node.metric('mortise_events_default_rows')).toBe(0);
  });

  it('are dropped when all of their events are older than the retention, those without a partition too', async () => {
    await start({ RETENTION_EVENTS: '30d' });
    const store = node.get(EventPartitionStore);
    const { now } = await store.list();
    await store.make({ from: now - 60 * DAY_MS, to: now - 31 * DAY_MS });
    await store.make({ from: now - 31 * DAY_MS, to: now - 29 * DAY_MS });
    await insert(45, 30, 100);
    expect(await places()).toHaveLength(3);
    await maintain();
    expect((await places()).map(({ age }) => age)).toEqual(['30']);
    expect(await store.drop((await partitions())[0]?.name ?? '', now - 30 * DAY_MS)).toBe(false);
  });

  it('get another width when the retention changes: the old ones stay, without a gap or an overlap', async () => {
    for (const [retention, longest] of [
      ['90d', 7],
      ['730d', 92],
      ['3650d', 366],
      ['90d', 7],
    ] as const) {
      await start({ RETENTION_EVENTS: retention });
      await sql.rows(`DO $$ DECLARE part regclass; BEGIN
        FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass AND inhrelid <> 'events_default'::regclass
          ORDER BY inhrelid DESC LIMIT 2 LOOP EXECUTE format('DROP TABLE %s', part); END LOOP; END $$`);
      await maintain();
      const spans = await partitions();
      expectWhole(spans, 28);
      expect(Math.max(...spans.map(({ from, to }) => to - from))).toBeLessThanOrEqual(longest * DAY_MS);
      await node.stop();
    }
    await start();
  });

  it('are left out by PostgreSQL where a query is bounded in time', async () => {
    await start();
    const plan = await sql.rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT FROM events WHERE received_at >= now() - interval '1 minute' AND received_at < now()`,
    );
    expect((await partitions()).length).toBeGreaterThan(3);
    expect(plan.filter((line) => line['QUERY PLAN'].includes('Scan on events_')).length).toBeLessThanOrEqual(3);
  });

  it('are warned of when they do not fit into the lock table', async () => {
    await start({ DATABASE_POOL_SIZE: '500' });
    await maintain();
    await expect(health()).rejects.toThrow('max_locks_per_transaction is too low');
  });
});
