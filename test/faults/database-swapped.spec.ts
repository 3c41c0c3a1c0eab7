/**
 * A database that is not the one of its event log, noticed at boot and while processes live: swapped, copied, rebuilt, behind,
 * adopted under a living process; and the adoption of it. Seen to fail without the check of each new connection (the process
 * went on in the copy), and with positions or identity alone.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { adoptDatabase } from '../../src/apps/adoption.js';
import type { AdoptionReport } from '../../src/platform/adoption/adoption.service.js';
import { loadConfig } from '../../src/config/load-config.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { numbered } from '../support/events.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { createEmptyDatabase } from '../support/postgres.js';
import { ApplicationProcess } from '../support/process.js';
import { scaled, tellProgress } from '../support/promise.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** Without a probe, a process looks every five seconds. */
const NOTICED_WITHIN_MS = 20_000;
const REFUSED = /npm run db:adopt/;
/** Of each table that a rule of the adoption changes. */
const ROWS = scaled(3_000, 200_000);
/** As an earlier version did: where a transaction stands in the log is its id. */
const WRITE_EVENT = `INSERT INTO events (type, source, actor, payload, xid)
  VALUES ('custom', 'system', 'system', '{}', pg_current_xact_id())`;

let installation: Installation;
let env: Record<string, string>;
/** On a database beside those of the tests, which can drop and rename them. */
let server: Sql;

beforeAll(async () => {
  server = await Sql.open((await createEmptyDatabase()).url);
});
afterAll(() => server.end());

beforeEach(async () => {
  installation = await createInstallation();
  env = { ...installation.env, ROLES: 'api' };
});

const nameOf = (url: string): string => new URL(url).pathname.slice(1);
const adopt = (): Promise<AdoptionReport> => adoptDatabase(loadConfig(env));

async function onDatabase(...statements: string[]): Promise<void> {
  const sql = await Sql.open(installation.databaseUrl);
  for (const statement of statements) {
    await sql.rows(statement);
  }
  await sql.end();
}

async function onlyRow(text: string): Promise<Record<string, unknown> | undefined> {
  const sql = await Sql.open(installation.databaseUrl);
  const [row] = await sql.rows(text);
  await sql.end();
  return row;
}

/** What a process asks on its first connection. */
async function look(): Promise<void> {
  const client = new pg.Client({ connectionString: utcConnection(installation.databaseUrl) });
  await client.connect();
  try {
    await new DatabaseIdentityStore().verify(client);
  } finally {
    await client.end();
  }
}

/** Replaces the database by a copy of it under the same name, as a restore within one cluster does. */
async function replaceByCopy(): Promise<void> {
  const name = nameOf(installation.databaseUrl);
  await server.rows(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await server.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [name]);
  await server.rows(`ALTER DATABASE ${name} RENAME TO ${name}_old`);
  await server.rows(`CREATE DATABASE ${name} TEMPLATE ${name}_old`);
  await server.rows(`DROP DATABASE ${name}_old WITH (FORCE)`);
}

describe('at boot', () => {
  it('refuses a copy in the same cluster', async () => {
    await look();
    await look();
    await replaceByCopy();
    await expect(look()).rejects.toThrow(REFUSED);
  });

  it('refuses tables that were made again in the same database', async () => {
    await look();
    await onDatabase(
      'CREATE TABLE event_log_restored (LIKE event_log INCLUDING ALL)',
      'INSERT INTO event_log_restored SELECT * FROM event_log',
      'DROP TABLE event_log',
      'ALTER TABLE event_log_restored RENAME TO event_log',
    );
    await expect(look()).rejects.toThrow(REFUSED);
  });

  it('refuses a backup of an earlier version whose positions lie ahead', async () => {
    await onDatabase(`UPDATE event_readers SET xid = '999999999999'`);
    await expect(look()).rejects.toThrow(/positions that its transactions have not reached/);
  });

  it('refuses a backup of an earlier version in a cluster that is far ahead, and goes on where that version ran', async () => {
    await onDatabase(WRITE_EVENT, WRITE_EVENT, 'CREATE TABLE backup AS SELECT * FROM events', 'TRUNCATE events');
    await onDatabase('INSERT INTO events SELECT * FROM backup');
    await expect(look()).rejects.toThrow(/its events were copied here/);
    await onDatabase(WRITE_EVENT);
    await look();
    expect(await onlyRow('SELECT database_identity IS NOT NULL AS known FROM event_log')).toEqual({ known: true });
  });
});

describe('the adoption', () => {
  it('lets what follows come after, also of a backup that was adopted before, and of a healthy database', async () => {
    await onDatabase(WRITE_EVENT, `UPDATE event_readers SET xid = '5000000' WHERE name = 'live_feed'`);
    await expect(look()).rejects.toThrow(REFUSED);
    const first = await adopt();
    await onDatabase(WRITE_EVENT.replace('pg_current_xact_id()', 'event_log_position(pg_current_xact_id())'));
    await look();
    // The function comes with a dump, and in it what was added to the ids of the cluster before.
    await replaceByCopy();
    await expect(look()).rejects.toThrow(REFUSED);
    const second = await adopt();
    expect(second.generation).not.toBe(first.generation);
    await onDatabase(`UPDATE event_readers SET xid = '9000000' WHERE name = 'live_feed'`);
    await adopt();
    const app = await TestApp.start({ env });
    await app.get(Transactions).run(() => app.get(EventLog).append(numbered(2)));
    const { items } = await app.get(EventLog).page({ order: 'asc', limit: 10, types: ['custom'] });
    expect(items.map(({ payload }) => payload)).toEqual([{}, {}, { n: 2 }]);
    const positions = await app.rows<{ xid: string }>(
      `SELECT xid::text FROM events WHERE type = 'custom' ORDER BY events.xid`,
    );
    expect(positions.map(({ xid }) => Number(xid) > 5_000_000)).toEqual([false, true, true]);
    expect(Number(positions[2]?.xid)).toBeGreaterThan(9_000_000);
    await expect(adopt()).rejects.toThrow('Stop every process of Mortise, and close every other connection');
    await app.stop();
  });

  it('is refused while anyone is connected, under whatever name, and waits for another one', async () => {
    const other = await Sql.open(`${installation.databaseUrl}?application_name=restore`);
    await expect(adopt()).rejects.toThrow(/to this database: restore \(pid \d+\)/);
    await other.end();
    await onDatabase(`UPDATE event_readers SET xid = '5000000'`);
    const reports = await Promise.all([adopt(), adopt()]);
    expect(new Set(reports.map(({ generation }) => generation)).size).toBe(2);
    await look();
  });

  it('has no limit of time, and reads no row twice', async () => {
    const each = `FROM generate_series(1, ${String(ROWS)}) AS n`;
    const later = `now() + interval '1 day'`;
    await onDatabase(
      `SET session_replication_role = 'replica'`,
      `INSERT INTO sessions (id, user_id, refresh_hash, expires_at) SELECT gen_random_uuid(), gen_random_uuid(), n::text::bytea, ${later} ${each}`,
      `INSERT INTO one_time_tokens (id, purpose, token_hash, expires_at) SELECT gen_random_uuid(), 'p', n::text::bytea, ${later} ${each}`,
      `INSERT INTO devices (id, owner_id, name, hardware_id) SELECT gen_random_uuid(), gen_random_uuid(), 'd', n::text ${each}`,
      `INSERT INTO device_receipts (device_id, boot, seq) SELECT id, 'b', 7 FROM devices`,
      `INSERT INTO commands (id, device_id, name, lane, payload, expires_at, correlation_id)
         SELECT gen_random_uuid(), id, 'unlock_door', 'bolt', '{}', ${later}, 'c' FROM devices`,
    );
    const begun = performance.now();
    const { changed } = await adopt();
    tellProgress(`${String(ROWS)} rows of each of five tables: ${String(Math.round(performance.now() - begun))} ms`);
    expect(changed).toMatchObject({
      sessions_ended: ROWS,
      mailed_links_revoked: ROWS,
      order_counters_raised: ROWS,
      receipts_marked_incomplete: ROWS,
      commands_settled: ROWS,
    });
    expect(await onlyRow(`SELECT count(*)::int AS n FROM events WHERE type = 'command_expired'`)).toEqual({ n: ROWS });
  }, 600_000);
});

describe('under a living process', () => {
  it('the process ends with the line, and refuses to start again', async () => {
    const application = await ApplicationProcess.start(env);
    await replaceByCopy();
    await eventually('the process ends', () => application.hasEnded, NOTICED_WITHIN_MS);
    expect(application.exitCode).toBe(1);
    expect(application.output).toMatch(REFUSED);
    await expect(application.start()).rejects.toThrow(REFUSED);
  }, 150_000);

  it('a cursor beyond the end has expired; health says when the log is another one, though its connections survived', async () => {
    const app = await TestApp.start({ env });
    await app.get(Transactions).run(() => app.get(EventLog).append(numbered(1)));
    const log = app.get(EventLog);
    const { items } = await log.page({ order: 'asc', limit: 10, types: ['custom'] });
    const cursor = items[0]?.cursor ?? '';
    const [generation = ''] = Buffer.from(cursor, 'base64url').toString().split('.');
    const ahead = Buffer.from(`${generation}.999999999999.7`).toString('base64url');
    await expect(log.page({ order: 'asc', limit: 10, after: ahead })).rejects.toThrow('earlier generation');
    expect((await log.page({ order: 'asc', limit: 10, after: cursor, types: ['custom'] })).items).toEqual([]);
    await onDatabase('UPDATE event_log SET generation = gen_random_uuid()');
    const report = await eventually(
      'health is critical',
      async () => {
        const answer = await request<{ details: { postgres: { reason?: string } } }>(app.url, 'GET', '/api/health');
        return answer.status === 503 && answer;
      },
      NOTICED_WITHIN_MS,
    );
    expect(report.body.details.postgres.reason).toMatch(REFUSED);
    await app.stop();
  });
});
