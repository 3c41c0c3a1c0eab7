/**
 * Partitions of the event log while the database's clock is 40 days off, in both orders, and as many readers at once as
 * there are connections.
 *
 * Seen to fail when one statement made all partitions, in the worker alone: an event in the default partition kept every
 * one from being made, the alarm said 0, and an api process made none. With 156 weekly partitions, readers got "out of
 * shared memory".
 *
 * PROMISE_SCALE=full starts each role and both orders, and reads over 80 connections; otherwise one, and 8.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPartitionStore } from '../../src/platform/events/event-partition-store.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { MAX_PARTITIONS } from '../../src/platform/events/partition-calendar.js';
import { numbered } from '../support/events.fixture.js';
import { PostgresWithClock } from '../support/postgres-with-clock.js';
import { scaled } from '../support/promise.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const DAY_MS = 86_400_000;
const READERS = scaled(8, 80);
/** Connections of everything else. */
const OTHERS = scaled(8, 20);

let server: PostgresWithClock;
beforeAll(async () => {
  server = await PostgresWithClock.start(0, { max_connections: READERS + OTHERS });
});
afterAll(() => server.stop());

/** Names of the partitions in which events lie. */
async function occupied(sql: Sql): Promise<string[]> {
  const rows = await sql.rows<{ lies: string }>('SELECT DISTINCT tableoid::regclass::text AS lies FROM events');
  return rows.map(({ lies }) => lies);
}

const CASES = [
  ['api', -40],
  ['api', 40],
  ['hardware', -40],
  ['worker', 40],
] as const;

describe('a process that starts first after the clock was 40 days off', () => {
  it.each(CASES.slice(0, scaled(1, CASES.length)))('%s, %i days', async (role, days) => {
    await server.setClock(days);
    const url = await server.createMigratedDatabase(`${role}_${days < 0 ? 'behind' : 'ahead'}`);
    await server.setClock(0);
    const sql = await Sql.open(url);
    await sql.rows(`INSERT INTO events (type, source, actor, payload) VALUES ('custom', 'system', 'system', '{}')`);
    expect(await occupied(sql)).toEqual(['events_default']);

    const app = await TestApp.start({ env: { DATABASE_URL: url, ROLES: role, DATABASE_POOL_SIZE: '4' } });
    try {
      await eventually('the event has a partition', async () => !(await occupied(sql)).includes('events_default'));
      await app.get(EventLog).append(numbered(1));
      expect(await occupied(sql)).toHaveLength(1);
      await eventually('one partition for each day to come', async () => {
        const { partitions } = await app.get(EventPartitionStore).list();
        const days = [0, 10, 20, 27].map((day) => Date.now() + day * DAY_MS);
        return days.every((at) => partitions.filter(({ from, to }) => from <= at && at < to).length === 1);
      });
      await eventually('health says so', async () => {
        const { body } = await request<{ details: Record<string, { status: string }> }>(app.url, 'GET', '/api/health');
        return body.details.event_partitions?.status === 'up';
      });
      await eventually('no alarm', async () => (await app.metric('mortise_events_default_rows')) === 0);
    } finally {
      await app.stop();
      await sql.end();
    }
  });
});

it('holds as many partitions as there may be in its lock table while every connection reads all of them', async () => {
  const url = await server.createMigratedDatabase('readers');
  const sql = await Sql.open(url);
  const [{ made } = { made: 0 }] = await sql.rows<{ made: number }>(
    `SELECT count(make_event_partition(date_trunc('week', now(), 'UTC') - n * interval '1 week',
       date_trunc('week', now(), 'UTC') - (n - 1) * interval '1 week'))::int AS made FROM generate_series(1, $1) n`,
    [MAX_PARTITIONS - 5],
  );
  expect(made).toBe(MAX_PARTITIONS - 5);
  const readers = await Promise.all(Array.from({ length: READERS }, () => Sql.open(url)));
  const read = async (reader: Sql): Promise<void> => {
    await reader.rows('BEGIN');
    await reader.rows('SELECT id FROM events WHERE device_id = gen_random_uuid() ORDER BY xid DESC, id DESC LIMIT 20');
  };
  // None of them lets go before all have read.
  const outcomes = await Promise.allSettled(readers.map(read));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
  await Promise.all(readers.map((reader) => reader.end()));
  await sql.end();
});
