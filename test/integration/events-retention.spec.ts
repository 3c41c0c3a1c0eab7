/**
 * What retention takes from the event log, and what it must not take. Seen to fail when a partition was dropped for its age
 * alone: events that a reader had not taken were gone, and those that were received while the clock was behind.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { EventLog } from '../../src/platform/events/event-log.js';
import type { EventPartitionStore } from '../../src/platform/events/partitions/event-partition-store.js';
import type { DomainError } from '../../src/shared/domain-error.js';
import { PartitionedLog } from '../support/partitioned-log.js';
import { logIsComplete } from '../support/log-horizon.js';
import { PartitionUpkeep } from '../support/partition-upkeep.js';
import type { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';

const DAY_MS = 86_400_000;

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
  await sql.rows('TRUNCATE events, event_readers');
});

async function insert(...ages: readonly number[]): Promise<void> {
  await log.insert(ages);
  await logIsComplete(sql);
}

const ages = async (): Promise<number[]> =>
  (await sql.rows<{ age: number }>(`SELECT (payload->>'age')::int AS age FROM events ORDER BY xid, id`)).map(
    ({ age }) => age,
  );

/** What was counted of these, as any purge rule's rows are. */
const counted = (): Promise<unknown[]> =>
  sql.rows(
    `SELECT deleted_total::int, unaudited::int, CASE WHEN failed_at IS NULL AND caught_up_at = ran_at THEN 'well' ELSE 'not well' END AS state
     FROM purge_runs WHERE rule = 'purge_events'`,
  );

/** The partition that ends so many days ago. */
async function makePartition(firstDay: number, lastDay: number): Promise<{ name: string; end: number }> {
  const { now } = await store.list();
  const end = now - lastDay * DAY_MS;
  await store.make({ from: now - firstDay * DAY_MS, to: end });
  const { partitions } = await store.list();
  return { name: partitions.find(({ to }) => Math.abs(to - end) < 1_000)?.name ?? '', end };
}

/** Of a person who has only their own events, and of one who hears an administrator's. */
const SCOPES = [[], ['system_alert'] as const].map((types) => ({
  userId: randomUUID(),
  organizationIds: [],
  deviceIds: [],
  types,
}));

/** What becomes of a cursor in each way of reading on from it. */
function outcomes(after: string): Promise<string[]> {
  const events = node.get(EventLog);
  return Promise.all(
    [
      events.page({ order: 'asc', limit: 10, after }),
      ...SCOPES.map((scope) => events.feedPage({ scope, limit: 10, after })),
    ].map((page) =>
      page.then(
        () => 'read',
        (error: unknown) => (error as DomainError).code,
      ),
    ),
  );
}

async function settled(process: PartitionUpkeep): Promise<void> {
  while (await process.maintain()) {
    // Until there is nothing more to do at once.
  }
}

describe('the retention of events', () => {
  it('takes those that are older, by whole partitions and in the default one', async () => {
    await makePartition(60, 31);
    const { name, end } = await makePartition(31, 29);
    await insert(100, 45, 30, 1);
    const process = await PartitionUpkeep.of(node, { days: 30 });
    await process.maintain();
    expect(await ages()).toEqual([30, 1]);
    expect(await counted()).toEqual([{ deleted_total: 2, unaudited: 2, state: 'well' }]);
    expect(await process.partitions('dropped')).toBe(1);
    expect(await store.drop(name, end - DAY_MS)).toEqual({ dropped: false, deleted: 0 });
    await sql.rows(`DROP TABLE ${name}`);
  });

  it('takes nothing that a durable reader has not read, not even one that never ran, and says who', async () => {
    await makePartition(60, 31);
    await insert(100, 45, 1);
    const process = await PartitionUpkeep.of(node, { days: 30, readers: ['counts', 'sums'] });
    await settled(process);
    expect(await ages()).toEqual([100, 45, 1]);
    await expect(process.health()).rejects.toMatchObject({ details: { readers: 'counts, sums' } });
    await sql.rows(
      `INSERT INTO event_readers (name, xid, event_id) SELECT w.name, e.xid, e.id FROM events e,
         unnest(ARRAY['counts', 'sums']) AS w(name) WHERE e.payload->>'age' = '45'`,
    );
    await settled(process);
    expect(await ages()).toEqual([1]);
    await expect(process.health()).resolves.toMatchObject({ width: 'week' });
  });

  it('keeps what was received while the clock was years behind, until those end among which it came', async () => {
    await insert(200, 10, 9_000, 9_000, 1);
    const process = await PartitionUpkeep.of(node, { days: 30 });
    await settled(process);
    await settled(process);
    expect(await ages()).toEqual([10, 9_000, 9_000, 1]);
    expect(await process.health()).toMatchObject({ misdated: 1 });
    await sql.rows(`DELETE FROM events WHERE payload->>'age' = '10'`);
    await settled(process);
    expect(await ages()).toEqual([1]);
    expect(await process.health()).not.toHaveProperty('misdated');
  });

  it('lets no cursor go on over what it took, from a partition or from the default one', async () => {
    const events = node.get(EventLog);
    const { name, end } = await makePartition(60, 31);
    await insert(45, 44, 100, 2, 1);
    const { items } = await events.page({ order: 'asc', limit: 10 });
    const cursors = items.map(({ cursor }) => cursor);
    const [first = '', second = '', third = '', fourth = ''] = cursors;
    expect([cursors.length, await outcomes(first)]).toEqual([5, ['read', 'read', 'read']]);
    expect(await store.drop(name, end)).toMatchObject({ dropped: true });
    expect(await outcomes(first)).toEqual(['cursor_expired', 'cursor_expired', 'cursor_expired']);
    // All that followed these is there.
    expect([await outcomes(second), await outcomes(third)]).toEqual([
      ['read', 'read', 'read'],
      ['read', 'read', 'read'],
    ]);
    await settled(await PartitionUpkeep.of(node, { days: 30 }));
    expect(await ages()).toEqual([2, 1]);
    expect(await outcomes(second)).toEqual(['cursor_expired', 'cursor_expired', 'cursor_expired']);
    expect([await outcomes(third), await outcomes(fourth)]).toEqual([
      ['read', 'read', 'read'],
      ['read', 'read', 'read'],
    ]);
  });

  it('leaves the cursor of who goes on good, though nothing happened to them and nothing is left', async () => {
    const events = node.get(EventLog);
    const { name, end } = await makePartition(60, 31);
    await insert(50);
    const starts = await Promise.all(SCOPES.map((scope) => events.feedPage({ scope, limit: 10 })));
    await insert(45);
    const gone = await Promise.all(
      SCOPES.map((scope, index) => events.feedPage({ scope, limit: 10, after: starts[index]?.cursor ?? '' })),
    );
    expect(gone.flatMap(({ items }) => items)).toEqual([]);
    expect(await store.drop(name, end)).toMatchObject({ dropped: true });
    expect(await ages()).toEqual([]);
    const now = await Promise.all(SCOPES.map((scope) => events.feedPage({ scope, limit: 10 })));
    for (const { cursor } of [...gone, ...now]) {
      expect(await outcomes(cursor)).toEqual(['read', 'read', 'read']);
    }
    for (const { cursor } of starts) {
      expect(await outcomes(cursor)).toEqual(['cursor_expired', 'cursor_expired', 'cursor_expired']);
    }
  });

  it('waits for a reader that is in the way without an alarm, but not for days', async () => {
    const recent = await makePartition(60, 30.5);
    await insert(45, 1);
    const process = await PartitionUpkeep.of(node, { days: 30 });
    await sql.rows('BEGIN');
    await sql.rows('SELECT count(*) FROM events');
    const before = await counted();
    expect(await store.drop(recent.name, recent.end)).toEqual({ dropped: null, deleted: 0 });
    expect(await counted()).toEqual(before);
    expect(await process.maintain()).toBe(false);
    await expect(process.health()).resolves.toMatchObject({ width: 'week' });
    const shorter = await PartitionUpkeep.of(node, { days: 29 });
    await shorter.maintain();
    await expect(shorter.health()).rejects.toThrow('partitions could not be made or dropped');
    await sql.rows('COMMIT');
    await shorter.maintain();
    expect(await ages()).toEqual([1]);
  });

  it('lets an insert wait behind it for a tenth of a second at most', async () => {
    const limits = await sql.rows<{ limit: string }>(
      `SELECT DISTINCT unnest(proconfig) AS limit FROM pg_proc WHERE proname IN ('make_event_partition', 'purge_event_partition', 'drop_event_partition')`,
    );
    expect(limits).toEqual([{ limit: 'lock_timeout=100ms' }]);
  });
});
