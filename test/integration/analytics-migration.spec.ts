/**
 * The migration from hours to quarters of an hour, on a database with events that the reader had counted, events that it had not, and
 * hours whose events are gone: nothing is counted twice, nothing is lost. Seen to fail: without the position of the reader, and with
 * hours that were taken whole.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { CountingModule } from '../../src/features/analytics/counting/counting.module.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { ReaderBatchService } from '../../src/platform/events/reader-batch.service.js';
import { MIGRATIONS, readMigrations } from '../../src/platform/prisma/migrations/migration-files.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { startEventLog } from '../support/events.fixture.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { eventually } from '../support/wait.js';

const MIGRATION = '20261203010100_quarter_hours';
const [ADA, EVE] = [randomUUID(), randomUUID()];
const [LOCK, SENSOR, HANDED_ON, SILENT] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
const HANDED_ON_AT = '2026-03-02T06:20:00Z';
/** What the release before did. */
const COUNT_BY_HOUR = `INSERT INTO event_rollups (hour, device_id, type, count)
  SELECT date_trunc('hour', received_at, 'UTC'), device_id, type, count(*) FROM events WHERE device_id IS NOT NULL GROUP BY 1, 2, 3`;
/** What is shown of the log: not what happened before a handover and came after it. */
const SHOWN = `events e LEFT JOIN devices d ON d.id = e.device_id WHERE e.device_id IS NOT NULL
  AND (e.occurred_at < d.owned_since AND e.received_at >= d.owned_since AND d.owned_since > d.created_at) IS NOT TRUE`;

let database: TestDatabase;
let client: pg.Client;

async function rowsOf(text: string, values: readonly unknown[] = []): Promise<object[]> {
  return (await client.query<object>(text, [...values])).rows;
}

/** Each an hour's worth of events of each device, every ten minutes, of three types. */
async function insertEvents(hours: readonly string[]): Promise<void> {
  await client.query(
    `INSERT INTO events (received_at, occurred_at, type, source, device_id, actor, payload)
     SELECT at, CASE WHEN n % 2 = 0 THEN at ELSE at - interval '3 hours' END,
       (ARRAY['motion_detected', 'door_status_changed', 'command_executed'])[1 + n % 3], 'mqtt', device, 'system',
       CASE n % 3 WHEN 1 THEN jsonb_build_object('lockState', CASE WHEN n % 2 = 0 THEN 'locked' ELSE 'unlocked' END)
         WHEN 2 THEN '{"name": "unlock_door"}' ELSE '{}' END
     FROM unnest($1::timestamptz[]) AS hour, unnest($2::uuid[]) AS device, generate_series(0, 17) AS n,
       LATERAL (SELECT hour + n % 6 * interval '10 minutes' + n * interval '7 seconds' AS at) AS t
     UNION ALL SELECT hour, hour, 'system_alert', 'system', NULL, 'system', '{}' FROM unnest($1::timestamptz[]) AS hour`,
    [hours, [LOCK, SENSOR, HANDED_ON]],
  );
}

const insertStatus = (device: string, at: string, status: string, previous: string): Promise<unknown> =>
  client.query(
    `INSERT INTO events (received_at, occurred_at, type, source, device_id, actor, payload)
     VALUES ($2, $2, 'status_changed', 'system', $1, 'system', jsonb_build_object('status', $3::text, 'previous', $4::text))`,
    [device, at, status, previous],
  );

const apply = async (name: string): Promise<unknown> =>
  client.query(await readFile(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));

const GONE = ['2026-01-05T10:00Z', '2026-01-05T11:00Z'];
const KEPT = ['2026-03-01T22:00Z', '2026-03-02T06:00Z', '2026-03-02T07:00Z'];
const PARTLY_GONE = '2026-03-01T22:30Z';
const AFTER = ['2026-03-02T07:00Z', '2026-03-02T08:00Z'];

beforeAll(async () => {
  database = await createEmptyDatabase();
  client = new pg.Client(utcConnection(database.url));
  await client.connect();
  const names = (await readMigrations()).migrationDirectories.map(({ path }) => path);
  for (const name of names.slice(0, names.indexOf(MIGRATION))) {
    await apply(name);
  }
  await client.query(
    `INSERT INTO users (id, email, display_name) VALUES ($1, 'ada@example.com', 'Ada'), ($2, 'eve@example.com', 'Eve')`,
    [ADA, EVE],
  );
  await client.query(
    `INSERT INTO devices (id, owner_id, name, hardware_id, status, created_at, owned_since, last_seen_at)
     SELECT n.id, n.owner, n.id::text, n.id::text, n.status::device_status, '2026-01-01Z', n.since, '2026-02-01Z'
     FROM (VALUES ($1::uuid, $5::uuid, 'offline', '2026-01-01Z'::timestamptz), ($2, $6, 'online', '2026-01-01Z'),
       ($3, $6, 'online', $7), ($4, $5, 'inactive', '2026-01-01Z')) AS n(id, owner, status, since)`,
    [LOCK, SENSOR, HANDED_ON, SILENT, ADA, EVE, HANDED_ON_AT],
  );
  await insertEvents([...GONE, ...KEPT]);
  await insertStatus(SENSOR, '2026-03-02T07:10Z', 'online', 'offline');
  await insertStatus(LOCK, '2026-03-02T06:05Z', 'offline', 'online');
  await insertStatus(LOCK, '2026-03-02T06:25Z', 'inactive', 'offline');
  await insertStatus(LOCK, '2026-03-02T06:40Z', 'online', 'inactive');
  await client.query(COUNT_BY_HOUR);
  await client.query(`INSERT INTO event_readers (name, xid, event_id)
    SELECT 'event_rollup', xid, id FROM events ORDER BY xid DESC, id DESC LIMIT 1`);
  await client.query('CREATE TABLE all_events AS SELECT * FROM events');
  await client.query('DELETE FROM events WHERE received_at < $1', [PARTLY_GONE]);
  await insertEvents(AFTER);
  await insertStatus(LOCK, '2026-03-02T08:05Z', 'offline', 'online');
  await client.query(`INSERT INTO all_events SELECT * FROM events
    WHERE (xid, id) > (SELECT xid, event_id FROM event_readers WHERE name = 'event_rollup')`);
  await apply(MIGRATION);
}, 60_000);

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** By hour, from what the log ever held. */
const hourly = (events: string): Promise<object[]> =>
  rowsOf(`SELECT date_trunc('hour', e.received_at, 'UTC') AS hour, e.device_id, e.type, count(*) FROM ${events}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`);
const countedHourly = (): Promise<object[]> =>
  rowsOf(`SELECT date_trunc('hour', at, 'UTC') AS hour, device_id, type, sum(count)::bigint AS count FROM event_counts
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`);

describe('The migration to quarters of an hour', () => {
  it('counts every hour as before up to the position of the reader, less what is of an earlier owner', async () => {
    const upTo = `(e.xid, e.id) <= (SELECT xid, event_id FROM event_readers WHERE name = 'event_counts')`;
    const counted = await countedHourly();
    expect(counted).toEqual(await hourly(`${SHOWN.replace('events', 'all_events')} AND ${upTo}`));
    expect(counted.length).toBeGreaterThan(30);
    expect(counted).not.toEqual(await hourly(`all_events e WHERE e.device_id IS NOT NULL AND ${upTo}`));
  });

  it('has each quarter whose events are left exactly, and only the rest of an hour as an hour', async () => {
    const upTo = `(e.xid, e.id) <= (SELECT xid, event_id FROM event_readers WHERE name = 'event_counts')`;
    expect(
      await rowsOf(
        'SELECT at, device_id, type, sum(count)::bigint AS count FROM event_counts WHERE minutes = 15 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
      ),
    ).toEqual(
      await rowsOf(`SELECT date_bin('15 minutes', e.received_at, '2000-01-01Z') AS at, e.device_id, e.type, count(*)
        FROM ${SHOWN} AND ${upTo} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`),
    );
    const hours = await rowsOf(`SELECT DISTINCT at, kind FROM event_counts WHERE minutes = 60 ORDER BY 1`);
    expect(hours).toEqual([...GONE, KEPT[0]].map((at) => ({ at: new Date(at ?? ''), kind: '' })));
    expect(await rowsOf('SELECT FROM event_rollups')).toEqual([]);
  });

  it('tells when devices were offline, from the beginning of the log where it began earlier', async () => {
    const [first] = (await rowsOf('SELECT received_at AS at FROM events ORDER BY xid, id LIMIT 1')) as { at: Date }[];
    expect(await rowsOf('SELECT * FROM device_offline_periods ORDER BY began_at, device_id')).toEqual([
      { device_id: SILENT, began_at: new Date('2026-02-01T00:00Z'), ended_at: null },
      { device_id: SENSOR, began_at: first?.at, ended_at: new Date('2026-03-02T07:10Z') },
      { device_id: LOCK, began_at: new Date('2026-03-02T06:05Z'), ended_at: new Date('2026-03-02T06:40Z') },
    ]);
  });

  it('leaves to the reader what it had not counted, and kinds as the migration wrote them', async () => {
    const node = await startEventLog({
      databaseUrl: database.url,
      redisUrl: await emptyRedis(),
      modules: [ClockModule, CountingModule],
    });
    try {
      const [reader] = node.get(DurableReaderRegistry).list();
      const behind = `events e WHERE (e.xid, e.id) > (SELECT xid, event_id FROM event_readers WHERE name = 'event_counts')`;
      expect(await rowsOf(`SELECT FROM ${behind}`)).toHaveLength(AFTER.length * 55 + 1);
      await eventually('everything is counted', async () => {
        await node.get(ReaderBatchService).applyNext(reader!);
        return (await rowsOf(`SELECT FROM ${behind}`)).length === 0;
      });
    } finally {
      await node.stop();
    }
    expect(await countedHourly()).toEqual(await hourly(SHOWN.replace('events', 'all_events')));
    const kinds = await rowsOf('SELECT DISTINCT type, kind FROM event_counts WHERE minutes = 15 ORDER BY 1, 2');
    expect(kinds).toEqual([
      { type: 'command_executed', kind: 'unlock_door' },
      { type: 'door_status_changed', kind: 'locked/' },
      { type: 'door_status_changed', kind: 'unlocked/' },
      { type: 'motion_detected', kind: '' },
      { type: 'status_changed', kind: '' },
    ]);
    expect(
      await rowsOf('SELECT device_id, began_at FROM device_offline_periods WHERE ended_at IS NULL ORDER BY 2'),
    ).toEqual([
      { device_id: SILENT, began_at: new Date('2026-02-01T00:00Z') },
      { device_id: LOCK, began_at: new Date('2026-03-02T08:05Z') },
    ]);
  });
});
