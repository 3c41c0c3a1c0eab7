/**
 * P-27: a transaction that stays open in another database of the cluster holds back every feed, because the log waits for the
 * oldest writer of the whole cluster. We end no session of others, but health names it, and the lag grows.
 * Seen to fail: the lag was measured from what had just been delivered, so it stayed 0, and health said `ok`; in a log that was
 * adopted, the blocker was looked for by its place in the log, which is not its transaction id.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { EventLog } from '../../src/platform/events/event-log.js';
import { FeedLagRepository } from '../../src/platform/events/feed-lag.repository.js';
import type { Database } from '../../src/platform/prisma/database.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { liveEvents, numbered, numbersOf } from '../support/events.fixture.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let app: TestApp;
let elsewhere: TestDatabase;
let writer: pg.Client;
let pid: number;

beforeAll(async () => {
  [app, elsewhere] = await Promise.all([TestApp.start({ env: { ROLES: 'api,worker' } }), createEmptyDatabase()]);
  writer = new pg.Client({ connectionString: utcConnection(elsewhere.url) });
  await writer.connect();
  pid = Number((await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);
});

afterAll(async () => {
  await writer.end();
  await app.stop();
  await elsewhere.drop();
});

interface FeedReport {
  readonly status: string;
  readonly details: { readonly feed: Record<string, unknown> };
}

async function feedHealth(): Promise<FeedReport> {
  return (await request<FeedReport>(app.url, 'GET', '/api/health')).body;
}

/** What a role may see that is neither owner of the session nor of `pg_read_all_stats`, in a log that was adopted once. */
async function blockerSeenByPlainRole(): Promise<unknown> {
  const client = new pg.Client({ connectionString: utcConnection(app.databaseUrl) });
  await client.connect();
  try {
    await client.query('CREATE ROLE plain_reader');
    await client.query('BEGIN');
    await client.query(`CREATE OR REPLACE FUNCTION event_log_position(xid8) RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE
      AS $$ SELECT ($1::text::bigint + 1000000)::text::xid8 $$`);
    await client.query('SET ROLE plain_reader');
    const database = { query: (_name: string, text: string) => client.query<object>(text).then(({ rows }) => rows) };
    return await new FeedLagRepository(database as unknown as Database).findBlocker();
  } finally {
    await client.query('ROLLBACK');
    await client.query('RESET ROLE');
    await client.query('DROP ROLE plain_reader');
    await client.end();
  }
}

it('is seen by health with its process, database and age, by the lag, and is over with the transaction', async () => {
  const heard = await liveEvents(app);
  await eventually('the feed is well', async () => (await feedHealth()).details.feed.status === 'up');
  const database = new URL(elsewhere.url).pathname.slice(1);
  await writer.query('BEGIN');
  await writer.query('CREATE TABLE written (n integer)');
  await app.get(Transactions).run(() => app.get(EventLog).append(numbered(1)));
  // As if it had waited for a while already.
  await app.rows(`UPDATE events SET received_at = received_at - interval '5 seconds' WHERE type = 'custom'`);

  const { status, details } = await eventually('the feed is degraded', async () => {
    const report = await feedHealth();
    return report.details.feed.status === 'degraded' && report;
  });
  expect(status).not.toBe('error');
  expect(details.feed).toMatchObject({
    reason: 'a transaction that stays open holds back every feed',
    pid,
    database,
    preparedTransaction: null,
  });
  expect(details.feed.waitingSeconds).toBeGreaterThanOrEqual(5);
  expect(details.feed.openSeconds).toEqual(expect.any(Number));
  for (const series of [
    'mortise_feed_held_back_seconds',
    'mortise_feed_relay_lag_seconds',
    'mortise_live_feed_lag_seconds',
    'mortise_event_reader_lag_seconds{reader="event_counts"}',
  ]) {
    // As long as health says, or longer: it looks every two seconds.
    expect([series, (await app.metric(series)) >= 5]).toEqual([series, true]);
  }
  expect(await blockerSeenByPlainRole()).toEqual({ pid, database, ageS: null, prepared: null });
  expect(numbersOf(heard)).not.toContain(1);

  await writer.query('ROLLBACK');
  await eventually('the event is delivered', () => numbersOf(heard).includes(1));
  await eventually('the feed is well again', async () => (await feedHealth()).details.feed.status === 'up');
  await eventually('nothing lags', async () => (await app.metric('mortise_feed_relay_lag_seconds')) === 0);
});
