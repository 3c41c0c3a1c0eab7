/**
 * Every route that is cached, beside every request that changes something: what the cache says after the change is what the database
 * says. Also which columns end cached answers: a new one must be put on one of two lists.
 * Seen to fail: with readings that a change does not end (the login of another, in a list of accounts), and with rows that were written
 * past the application.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { ReaderBatchService } from '../../src/platform/events/reader-batch.service.js';
import type { PlatformRole } from '../../src/platform/auth/principal.js';
import { CHANGING_REQUESTS, RequestFactory } from '../support/changing-requests.js';
import { CacheKeys, type CacheReader, isHit, read, readUncached, warm } from '../support/cache.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

/** What shows no readings: they may differ. */
const STEADY =
  'fields=id,name,hardwareId,status,organizationId,permission,owned,version,links,lockState,doorState,updatedAt';
const ACCOUNT_FIELDS =
  'fields=id,email,username,displayName,role,status,hasPassword,blockedAt,deletedAt,version,updatedAt';
/** Those that show what was counted of events. */
const COUNTS: Readonly<Record<string, string>> = {
  '/api/v1/analytics/dashboard': '/analytics/dashboard',
  '/api/v1/analytics/trends': '/analytics/trends',
  '/api/v1/analytics/distribution': '/analytics/distribution',
  '/api/v1/analytics/top-doors': '/analytics/top-doors',
  '/api/v1/analytics/offline': '/analytics/offline',
  '/api/v1/analytics/live': '/analytics/live',
};
/** Each cached route as the test asks it. */
const CACHED_ROUTES: Readonly<Record<string, string>> = {
  '/api/v1/devices': `/devices?limit=100&${STEADY}`,
  '/api/v1/devices/stats': '/devices/stats',
  '/api/v1/organizations': '/organizations',
  '/api/v1/shares': '/shares',
  '/api/v1/users/me': '/users/me',
  '/api/v1/users/me/preferences': '/users/me/preferences',
  '/api/v1/users': `/users?limit=100&sort=-createdAt&${ACCOUNT_FIELDS}`,
  '/api/v1/users/search': '/users/search?q=example',
  ...COUNTS,
};
/** When an answer was read, and in `live` what it then was: half a minute old at most. */
const LIVE_READINGS = ['asOf', 'commandsInFlight', 'recentEvents', 'recentUnlocks'];
const FOR_ADMINS = ['/api/v1/users', '/api/v1/users/search'];

let app: TestApp;
let sql: Sql;
let keys: CacheKeys;
let factory: RequestFactory;

beforeAll(async () => {
  app = await TestApp.start();
  sql = await Sql.open(app.databaseUrl);
  keys = CacheKeys.open(app.redisUrl);
  factory = await RequestFactory.start(app, sql);
  // The minute of a new Redis begins with the first question.
  await warm({ base: app.url, accessToken: factory.admin.accessToken }, '/users/me', keys);
}, 60_000);

afterAll(async () => {
  keys.close();
  await sql.end();
  await app.stop();
});

/** Until then counts change by themselves. */
async function everythingCounted(): Promise<void> {
  const behind = `SELECT FROM events e, event_readers r WHERE r.name = 'event_counts' AND (e.xid, e.id) > (r.xid, r.event_id) LIMIT 1`;
  const reader = app
    .get(DurableReaderRegistry)
    .list()
    .find(({ name }) => name === 'event_counts');
  await eventually('everything is counted', async () => {
    await app.get(ReaderBatchService).applyNext(reader!);
    return (await sql.rows(behind)).length === 0;
  });
}

/** The people of the scene that was made since, with the sessions that they have. */
async function peopleSince(since: Date): Promise<CacheReader[]> {
  const rows = await sql.rows<{ id: string; session: string; role: PlatformRole }>(
    `SELECT u.id, u.role, (SELECT s.id FROM sessions s WHERE s.user_id = u.id LIMIT 1) AS session FROM users u
     WHERE u.created_at >= $1 AND u.blocked_at IS NULL AND u.deleted_at IS NULL AND EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id)`,
    [since],
  );
  return Promise.all(
    rows.map(async ({ id, session, role }) => {
      const { token } = await app.get(AccessTokenFactory).sign({ userId: id, sessionId: session, role });
      return { base: app.url, accessToken: token };
    }),
  );
}

const steadyPartOf = ({ status, body }: Answer<unknown>): unknown => {
  // A login is a reading of an account, as others see it.
  const readings = ['lastLoginAt', 'loginCount', 'failedAttempts', ...LIVE_READINGS];
  const steady = JSON.stringify(body, (name, value: unknown) => (readings.includes(name) ? undefined : value));
  return { status, body: status === 200 ? steady : null };
};

describe('A change', () => {
  const changed = new Set<string>();
  const hits = new Set<string>();

  it.each(Object.keys(CHANGING_REQUESTS))('by %s ends every cached answer that it changes', async (name) => {
    const [now] = await sql.rows<{ at: Date }>('SELECT clock_timestamp() AS at');
    const { path, token, body, headers } = await CHANGING_REQUESTS[name]!(factory);
    const [method = ''] = name.split(' ');
    const people = await peopleSince(now?.at ?? new Date());
    const admin = { base: app.url, accessToken: factory.admin.accessToken };
    const reads = Object.entries(CACHED_ROUTES).flatMap(([route, path]) =>
      (FOR_ADMINS.includes(route) ? [admin] : people).map((reader) => ({ route, reader, path })),
    );
    await everythingCounted();
    await keys.endQuietMinute();
    await keys.forget();
    const before = await Promise.all(reads.map(({ reader, path }) => read(reader, path).then(steadyPartOf)));
    // Once for each route: what is stored is sent to Redis before its answer leaves, and so before the mark of a change.
    await Promise.all(
      reads
        .filter(({ route }) => !hits.has(route))
        .map(async ({ route, reader, path }) => {
          if (isHit(await read(reader, path))) {
            hits.add(route);
          }
        }),
    );

    const { status } = await request(app.url, method, `/api/v1${path}`, {
      ...(token === undefined ? {} : { token }),
      body,
      headers: { ...headers, 'idempotency-key': name.replaceAll(/\W/g, '-') },
    });
    expect(status).toBeLessThan(300);
    await everythingCounted();
    const answers = await Promise.all(reads.map(({ reader, path }) => read(reader, path)));
    const cached = answers.map(steadyPartOf);
    // What was no hit is what the database said.
    const uncached = await Promise.all(
      reads.map(async ({ reader, path }, index) =>
        isHit(answers[index]!) ? steadyPartOf(await readUncached(reader, path)) : cached[index],
      ),
    );
    expect(cached).toEqual(uncached);
    reads.forEach(({ route }, index) => {
      if (JSON.stringify(before[index]) !== JSON.stringify(uncached[index])) {
        changed.add(route);
      }
    });
  });

  it('was seen of every cached route, and so was a hit', async () => {
    const document = (await request<{ paths: Record<string, { get?: object }> }>(app.url, 'GET', '/api/docs-json'))
      .body;
    const documented = Object.entries(document.paths).flatMap(([path, { get }]) =>
      get && JSON.stringify(get).includes('"Cache-Control"') ? [path] : [],
    );
    expect(documented.sort()).toEqual(Object.keys(CACHED_ROUTES).sort());
    expect([...hits].sort()).toEqual(Object.keys(CACHED_ROUTES).sort());
    expect([...changed].sort()).toEqual(Object.keys(CACHED_ROUTES).sort());
  });
});

describe('The columns of a table that cached answers show', () => {
  /** Readings, and what no answer of a cached route shows. */
  const IGNORED: Readonly<Record<string, readonly string[]>> = {
    devices: [
      ...['battery', 'battery_at', 'rssi', 'rssi_at', 'last_seen_at'],
      ...[
        'id',
        'hardware_key',
        'boot',
        'boot_uptime_ms',
        'boot_reported_at',
        'anchor_uptime_ms',
        'anchor_at',
        'uptime_fell_at',
      ],
      ...['start_before_fall', 'born_at', 'heartbeat_interval_ms', 'order_counter'],
    ],
    users: [
      ...['login_count', 'failed_attempts', 'last_login_at'],
      ...['id', 'email_since', 'email_by_admin', 'password_changed_at', 'must_change_password', 'unlock_after'],
    ],
  };

  it.each(Object.keys(IGNORED))('of %s all end them but those that are left out by name', async (table) => {
    const columns = await sql.rows<{ name: string; watched: boolean }>(
      `SELECT a.attname AS name, a.attnum = ANY (t.tgattr) AS watched FROM pg_attribute a
       JOIN pg_trigger t ON t.tgrelid = a.attrelid AND t.tgname = $1 || '_cache_update'
       WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
      [table],
    );
    const ignored = columns.flatMap(({ name, watched }) => (watched ? [] : [name]));
    expect(ignored.sort()).toEqual([...(IGNORED[table] ?? [])].sort());
    const [definition] = await sql.rows<{ text: string }>(
      `SELECT pg_get_triggerdef(oid) AS text FROM pg_trigger WHERE tgname = $1 || '_cache_update'`,
      [table],
    );
    for (const { name } of columns.filter(({ watched }) => watched)) {
      expect(definition?.text).toContain(`old.${name}`);
      expect(definition?.text).toContain(`new.${name}`);
    }
  });
});
