/**
 * Times where PostgreSQL and Node live in two different zones, and neither is UTC. Seen to fail before the fix: eleven
 * columns of rows made by Prisma Client were 14 hours from the database clock, the API answered them so, and filters by
 * time of creation missed every account. With `@default(dbgenerated("now()"))` alone, what Prisma Client reads and
 * compares is still off by 14 hours; with `utcConnection` alone, rows have the process's time and not their transaction's.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { loadConfig } from '../../src/config/load-config.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { canonicalTimeZone, databaseTimeZone, isForeignTimeZone } from '../../src/shared/time-zone.js';
import { shownAt } from '../../src/shared/time/wall-clock.js';
import { type Account, createAccount, signIn } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';

/** 14 hours ahead of UTC. */
const ZONE_OF_POSTGRES = 'Pacific/Kiritimati';
/** 3.5 hours behind it. */
const ZONE_OF_NODE = 'America/St_Johns';
/** Far more than the tests take, far less than any zone is off. */
const CLOSE_MS = 120_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let installation: Installation;
let application: ApplicationProcess;
let sql: Sql;
let admin: Account;

beforeAll(async () => {
  installation = await createInstallation({ TZ: ZONE_OF_NODE });
  sql = await Sql.open(installation.databaseUrl);
  await sql.rows(`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET timezone TO ''${ZONE_OF_POSTGRES}''', current_database());
  END $$`);
  application = await ApplicationProcess.start(installation.env);
  const person = await createAccount(application.url, 'admin');
  await sql.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [person.id]);
  admin = { ...person, ...(await signIn(application.url, person.email)) };
});

afterAll(async () => {
  await application.stop();
  await sql.end();
  await installation.remove();
});

const get = async <T>(path: string): Promise<T> =>
  (await request<T>(application.url, 'GET', `/api/v1${path}`, { token: admin.accessToken })).body;
const post = (path: string, body: unknown): ReturnType<typeof request> =>
  request(application.url, 'POST', `/api/v1${path}`, { token: admin.accessToken, body });
const inMs = (time: string): number => Date.parse(time) - Date.now();
const isNow = (time: string): boolean => Math.abs(inMs(time)) < CLOSE_MS;

describe('an application whose database lives in another zone', () => {
  it('really does', async () => {
    const client = new pg.Client(installation.databaseUrl);
    await client.connect();
    const { rows } = await client.query<{ TimeZone: string }>('SHOW timezone');
    await client.end();
    expect(rows).toEqual([{ TimeZone: ZONE_OF_POSTGRES }]);
  });

  it('writes every time by the database clock, through Prisma Client and through SQL', async () => {
    const device = await registerDevice(application.url, admin);
    expect((await post('/organizations', { name: 'Bakery' })).status).toBe(201);
    expect((await post('/auth/forgot-password', { identifier: admin.email })).status).toBe(202);
    const renamed = await request(application.url, 'PATCH', `/api/v1/devices/${device.id}`, {
      token: admin.accessToken,
      body: { name: 'Back door' },
    });
    expect(renamed.status).toBe(200);
    const written = await writtenTimes();
    expect(written.map(({ column }) => column)).toEqual(
      expect.arrayContaining([
        'users.created_at',
        'devices.updated_at',
        'organizations.created_at',
        'sessions.created_at',
      ]),
    );
    expect(written.filter(({ off }) => off > CLOSE_MS / 1_000)).toEqual([]);
  });

  it('answers these times as they are', async () => {
    const me = await get<{ createdAt: string; updatedAt: string }>('/users/me');
    expect([me.createdAt, me.updatedAt].filter((time) => !isNow(time))).toEqual([]);
    const { items: devices } = await get<{ items: { createdAt: string; updatedAt: string }[] }>('/devices');
    expect(devices).toHaveLength(1);
    expect(devices.flatMap(({ createdAt, updatedAt }) => [createdAt, updatedAt]).every(isNow)).toBe(true);
  });

  it('ends sessions and mailed links when it said', async () => {
    const { items: sessions } = await get<{ items: { createdAt: string; expiresAt: string }[] }>('/auth/sessions');
    expect(sessions.length).toBeGreaterThan(0);
    for (const { createdAt, expiresAt } of sessions) {
      expect(isNow(createdAt)).toBe(true);
      // To the hour after it.
      expect(inMs(expiresAt) - 7 * DAY_MS).toBeGreaterThan(-CLOSE_MS);
      expect(inMs(expiresAt) - 7 * DAY_MS).toBeLessThan(HOUR_MS + CLOSE_MS);
    }
    const tokens = await sql.rows<{ lives: number }>(
      'SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 AS lives FROM one_time_tokens',
    );
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens.every(({ lives }) => lives > 0 && lives < DAY_MS / 1_000)).toBe(true);
  });

  it('filters by time of creation, and walks a list ordered by it', async () => {
    const people = [admin.id];
    for (const name of ['first', 'second', 'third']) {
      people.push((await createAccount(application.url, name)).id);
    }
    const around = (ms: number): string => encodeURIComponent(new Date(Date.now() + ms).toISOString());
    const found = async (query: string): Promise<string[]> =>
      (await get<{ items: { id: string }[] }>(`/users?${query}`)).items.map(({ id }) => id);
    expect(await found(`sort=createdAt&createdFrom=${around(-CLOSE_MS)}`)).toEqual(people);
    expect(await found(`createdFrom=${around(CLOSE_MS)}`)).toEqual([]);
    expect(await found(`createdTo=${around(-CLOSE_MS)}`)).toEqual([]);

    const walked: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: { id: string }[]; nextCursor: string | null } = await get(
        `/users?sort=createdAt&limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      walked.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(walked).toEqual(people);
  });
});

describe('Prisma Client', () => {
  let database: Database;
  let transactions: Transactions;

  beforeAll(() => {
    database = new Database(
      loadConfig({
        DATABASE_URL: installation.databaseUrl,
        REDIS_URL: 'redis://unused',
        MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
      }),
      new DatabaseIdentityStore(),
    );
    transactions = new Transactions(database);
  });
  afterAll(() => database.onApplicationShutdown());

  it('leaves the times of a row to the database: they are those of its transaction', async () => {
    await transactions.run(async () => {
      const begun = await databaseTime();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { id, createdAt, updatedAt } = await database.prisma((prisma) =>
        prisma.organization.create({ data: { name: 'Mill' }, select: { id: true, createdAt: true, updatedAt: true } }),
      );
      expect([createdAt, updatedAt]).toEqual([begun, begun]);
      await database.query(
        'test_age',
        `UPDATE organizations SET updated_at = now() - interval '1 hour' WHERE id = $1`,
        [id],
      );
      const changed = await database.prisma((prisma) =>
        prisma.organization.update({
          where: { id },
          data: { name: 'Saw mill', version: { increment: 1 } },
          select: { updatedAt: true },
        }),
      );
      expect(changed.updatedAt).toEqual(begun);
    });
  });

  it('reads and compares a time as it was written', async () => {
    const at = new Date('2026-07-01T12:34:56.789Z');
    const name = `Clock ${randomUUID()}`;
    await database.prisma((prisma) =>
      prisma.organization.create({ data: { name, createdAt: at }, select: { id: true } }),
    );
    const [row] = await sql.rows<{ created_at: Date }>('SELECT created_at FROM organizations WHERE name = $1', [name]);
    expect(row?.created_at).toEqual(at);
    const read = await database.prisma((prisma) =>
      prisma.organization.findFirst({ where: { name, createdAt: at }, select: { createdAt: true } }),
    );
    expect(read).toEqual({ createdAt: at });
  });

  async function databaseTime(): Promise<Date> {
    const [row] = await database.query<{ now: Date }>('test_now', 'SELECT now()::timestamptz(3) AS now');
    return row!.now;
  }
});

describe('PostgreSQL', () => {
  it('shows the time of every zone that a request may name as Node does, in winter and summer', async () => {
    const listed = await sql.rows<{ name: string }>('SELECT name FROM pg_timezone_names');
    const names = new Set([...Intl.supportedValuesOf('timeZone'), ...listed.map(({ name }) => name)]);
    const zones = [...names].filter((name) => canonicalTimeZone(name) !== null && !isForeignTimeZone(name));
    expect(zones.length).toBeGreaterThan(500);
    const instants = ['2025-01-15T12:00:00Z', '2025-07-15T12:00:00Z'];
    const shown = await sql.rows<{ zone: string; at: string; shown: string }>(
      `SELECT zone, at, extract(epoch FROM (at::timestamptz AT TIME ZONE name) - timestamp '1970-01-01')::float8 * 1000 AS shown
       FROM unnest($1::text[], $2::text[]) AS z(zone, name), unnest($3::text[]) AS at`,
      [zones, zones.map(databaseTimeZone), instants],
    );
    expect(shown).toHaveLength(2 * zones.length);
    expect(shown.filter((row) => Number(row.shown) !== shownAt(Date.parse(row.at), row.zone))).toEqual([]);
  });

  it('is asked about no zone that only Intl knows: exports, schedules and analyses refuse it', async () => {
    const content = { type: 'usage_report', format: 'csv', timeZone: 'AET' };
    const key = { 'idempotency-key': randomUUID() };
    const ask = (method: string, path: string, body?: object): ReturnType<typeof request> =>
      request(application.url, method, `/api/v1${path}`, {
        token: admin.accessToken,
        ...(body && { body, headers: key }),
      });
    const answers = [
      await ask('POST', '/exports', content),
      await ask('POST', '/export-schedules', { ...content, every: 'daily', at: '07:00' }),
      await ask('GET', '/analytics/distribution?timeZone=AET'),
      // What an earlier release accepted is answered with the zone that it means.
      await sql
        .rows(
          `INSERT INTO user_preferences (user_id, quiet_from, quiet_until, time_zone, updated_at) VALUES ($1, '22:00', '07:00', 'AET', now())
           ON CONFLICT (user_id) DO UPDATE SET quiet_from = '22:00', quiet_until = '07:00', time_zone = 'AET'`,
          [admin.id],
        )
        .then(() => ask('GET', '/analytics/distribution')),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 200]);
  });
});

/** Each column that says when something happened, with the seconds by which its worst value differs from the clock. Counts have quarter hours. */
async function writtenTimes(): Promise<{ column: string; off: number }[]> {
  const columns = await sql.rows<{ table_name: string; column_name: string }>(`
    SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name
    WHERE c.table_schema = 'public' AND c.data_type = 'timestamp with time zone' AND t.relkind IN ('r', 'p')
      AND NOT t.relispartition AND c.table_name NOT IN ('_prisma_migrations', 'event_counts') AND c.column_name ~ '(^|_)at$'
      AND c.column_name NOT IN ('expires_at', 'next_attempt_at')`);
  const written: { column: string; off: number }[] = [];
  for (const { table_name: table, column_name: column } of columns) {
    const [row] = await sql.rows<{ off: number | null }>(
      `SELECT max(abs(extract(epoch FROM ${column} - clock_timestamp())))::float8 AS off FROM ${table}`,
    );
    if (row && row.off !== null) {
      written.push({ column: `${table}.${column}`, off: row.off });
    }
  }
  return written;
}
