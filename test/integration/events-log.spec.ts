import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newContext, runInContext } from '../../src/platform/context/request-context.js';
import { encodeLogCursor } from '../../src/platform/events/log-position.js';
import { Database } from '../../src/platform/prisma/database.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { numbered, numbersOf, startEventLog, upTo } from '../support/events.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { eventually } from '../support/wait.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

describe('the event log', () => {
  let database: TestDatabase;
  let node: TestApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startEventLog({ databaseUrl: database.url, redisUrl: await emptyRedis() });
  });

  afterAll(async () => {
    await node.stop();
    await database.drop();
  });

  const oldestFirst = (deviceId: string, after?: string) =>
    node.get(EventLog).page({ deviceIds: [deviceId], order: 'asc', limit: 100, ...(after !== undefined && { after }) });
  const newestFirst = (deviceId: string, before?: string, limit = 100) =>
    node.get(EventLog).page({ deviceIds: [deviceId], order: 'desc', limit, ...(before !== undefined && { before }) });

  /** Read forward, the log ends at the oldest transaction that is open in the whole cluster. */
  const settled = (deviceId: string, count: number, after?: string) =>
    eventually(`${String(count)} events are settled`, async () => {
      const page = await oldestFirst(deviceId, after);
      return page.items.length >= count && page;
    });

  it('keeps a batch in its order, in one statement, whatever its payloads hold', async () => {
    const deviceId = randomUUID();
    const payloads = [{ text: `quote ' " \\ { } , NULL` }, { list: [1, null, 'ü 🔑'] }, {}];
    await node.get(EventLog).append(payloads.map((payload) => ({ ...numbered(0, deviceId), type: 'custom', payload })));
    const { items } = await settled(deviceId, payloads.length);
    expect(items.map(({ payload }) => payload)).toEqual(payloads);
    expect(items.map(({ version }) => version)).toEqual([1, 1, 1]);
  });

  it('leaves nothing of a transaction that failed', async () => {
    const deviceId = randomUUID();
    const failing = node.get(Transactions).run(async () => {
      await node.get(EventLog).append(numbered(1, deviceId));
      throw new Error('after the append');
    });
    await expect(failing).rejects.toThrow('after the append');
    expect((await newestFirst(deviceId)).items).toEqual([]);
  });

  it('gives events the id of the request that caused them', async () => {
    const deviceId = randomUUID();
    await runInContext(newContext('http', 'system', { requestId: 'the-request' }), () =>
      node.get(EventLog).append([numbered(1, deviceId), { ...numbered(2, deviceId), correlationId: 'their own' }]),
    );
    const { items } = await settled(deviceId, 2);
    expect(items.map(({ correlationId }) => correlationId)).toEqual(['the-request', 'their own']);
  });

  it('does not skip a transaction that began first and commits last', async () => {
    const deviceId = randomUUID();
    const slow = new pg.Client({ connectionString: utcConnection(database.url) });
    await slow.connect();
    await slow.query('BEGIN');
    await slow.query(
      `INSERT INTO events (type, source, actor, device_id, payload) VALUES ('custom', 'system', 'system', $1, '{"n": 1}')`,
      [deviceId],
    );
    await node.get(EventLog).append(numbered(2, deviceId));

    const early = await oldestFirst(deviceId);
    expect(early.items).toEqual([]);
    const seen = (await newestFirst(deviceId)).items;
    expect(numbersOf(seen)).toEqual([2]);

    await slow.query('COMMIT');
    await slow.end();
    expect(numbersOf((await settled(deviceId, 2)).items)).toEqual([1, 2]);
    // Who goes on from the event it saw too early must still hear of the one before it.
    expect(numbersOf((await settled(deviceId, 2, seen[0]?.cursor)).items)).toEqual([1, 2]);
  });

  it('pages in both directions without a gap or an overlap', async () => {
    const deviceId = randomUUID();
    await node.get(EventLog).append(upTo(7).map((n) => numbered(n, deviceId)));
    const backward: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await newestFirst(deviceId, cursor, 3);
      backward.push(...numbersOf(page.items));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(backward).toEqual([6, 5, 4, 3, 2, 1, 0]);

    await settled(deviceId, 7);
    const first = await node.get(EventLog).page({ deviceIds: [deviceId], order: 'asc', limit: 3 });
    const rest = await oldestFirst(deviceId, first.nextCursor ?? '');
    expect(numbersOf([...first.items, ...rest.items])).toEqual(upTo(7));
    expect(rest.nextCursor).toBeNull();
  });

  it('answers only what was asked for: devices, person, types, time', async () => {
    const [one, other, userId] = [randomUUID(), randomUUID(), randomUUID()];
    await node
      .get(EventLog)
      .append([
        numbered(1, one),
        { ...numbered(2, one), type: 'motion_detected', payload: { zone: 'door' }, userId },
        numbered(3, other),
        numbered(4, randomUUID()),
      ]);
    await settled(one, 2);
    await settled(other, 1);
    const now = Date.now();
    const query = { order: 'asc', limit: 10, from: new Date(now - 60_000), to: new Date(now + 60_000) } as const;
    const ofBoth = await node.get(EventLog).page({ ...query, deviceIds: [one, other] });
    expect(ofBoth.items.map(({ deviceId }) => deviceId)).toEqual([one, one, other]);
    const motion = await node.get(EventLog).page({ ...query, userId, types: ['motion_detected', 'low_battery'] });
    expect(motion.items.map(({ payload }) => payload)).toEqual([{ zone: 'door' }]);
    const earlier = await node.get(EventLog).page({ ...query, deviceIds: [one], to: new Date(now - 30_000) });
    expect(earlier.items).toEqual([]);
  });

  it('refuses cursors that are not its own, and those of a log that was replaced', async () => {
    const deviceId = randomUUID();
    const foreign = encodeLogCursor(randomUUID(), { xid: 1n, id: 1n });
    await expect(oldestFirst(deviceId, 'nonsense')).rejects.toMatchObject({ kind: 'invalid', code: 'invalid_cursor' });
    await expect(oldestFirst(deviceId, foreign)).rejects.toMatchObject({ kind: 'invalid', code: 'cursor_expired' });
  });

  it('reads a page of one device in the order of its index, without sorting', async () => {
    const deviceId = randomUUID();
    const postgres = node.get(Database);
    await postgres.pool.query(
      `INSERT INTO events (type, source, actor, device_id, payload)
       SELECT 'custom', 'system', 'system', CASE WHEN n % 100 = 0 THEN $1::uuid ELSE gen_random_uuid() END, '{}'
         FROM generate_series(1, 20000) AS n`,
      [deviceId],
    );
    await postgres.pool.query('ANALYZE events');
    const rows = await node.get(Transactions).run(async () => {
      await newestFirst(deviceId);
      const plan = `EXPLAIN EXECUTE events_page_desc_device(50, '${deviceId}')`;
      return postgres.query<{ 'QUERY PLAN': string }>('test_plan', plan);
    });
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('device_id_xid_id_idx');
    expect(plan).toContain('Merge Append');
    expect(plan).not.toMatch(/Sort \s*\(/);
  });

  it('receives an event when it is written, however long its transaction has been open', async () => {
    const deviceId = randomUUID();
    const { started, written } = await node.get(Transactions).run(async () => {
      await node.get(EventLog).append(numbered(1, deviceId));
      const [row] = await node
        .get(Database)
        .query<{ started: Date; written: Date }>(
          'test_wait',
          'SELECT now() AS started, clock_timestamp() AS written FROM pg_sleep(0.2)',
        );
      return row!;
    });
    const [event] = (await newestFirst(deviceId)).items;
    const receivedAt = new Date(event!.receivedAt);
    expect(receivedAt.getTime()).toBeGreaterThanOrEqual(written.getTime());
    expect(receivedAt.getTime() - started.getTime()).toBeGreaterThanOrEqual(200);
    expect(event!.occurredAt).toBe(event!.receivedAt);
  });
});
