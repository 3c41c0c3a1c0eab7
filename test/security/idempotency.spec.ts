/**
 * P-20: one key, one execution, on every POST but those of `/auth`. Walks the routes that the server has. Seen to fail:
 * with the advisory lock taken off, with the hash of the request not compared, and with a route that does not ask.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TestApp } from '../support/test-app.js';
import { type ChangingRequest, CHANGING_REQUESTS, RequestFactory } from '../support/changing-requests.js';
import { databaseSnapshot } from '../support/database-snapshot.js';
import { recordFigure } from '../support/promise.js';
import { type Answer, request } from '../support/rest.js';
import { serverRoutes } from '../support/server-routes.js';
import { Sql } from '../support/sql.js';

const AT_ONCE = 50;
/** Shown once, in the first response; a repeat does not have it any more. */
const SHOWN_ONCE = new Set(['deviceToken', 'claimCode', 'activation', 'olderUntil', 'results']);

let application: TestApp;
let sql: Sql;
let factory: RequestFactory;
/** One changes nothing (`@ChangesNothing`); devices have no session, which a key belongs to, and their boots and numbers tell repeats. */
const WITHOUT_KEY = [
  'POST /api/v1/csp-reports',
  // Each is another one, which lives for half a minute.
  'POST /api/v1/events/tickets',
  // Each is another one, which lives for five minutes.
  'POST /api/v1/exports/{exportId}/link',
  'POST /api/v1/devices/{deviceId}/shares/preview',
  'POST /api/v1/devices/{deviceId}/access-check',
  'POST /api/v1/devices/activate',
  // Mail programs have no key; the same token turns off the same.
  'POST /api/v1/notifications/unsubscribe',
  // Each sends another message into the chat of the person who asks for it.
  'POST /api/v1/notifications/chat/test',
  // Providers have no key; what they report is heard once.
  'POST /api/v1/notifications/mail-events',
  // A code works once, and GET tells whether it has.
  'POST /api/v1/notifications/phone/confirm',
  // The provider has no key; a report again changes nothing.
  'POST /api/v1/notifications/sms-status',
  'POST /api/v1/devices/{deviceId}/heartbeat',
  'POST /api/v1/devices/{deviceId}/events',
];
let routes: string[];

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  factory = await RequestFactory.start(application, sql);
  routes = serverRoutes(application.nest)
    .filter((name) => name.startsWith('POST ') && !name.startsWith('POST /api/v1/auth/') && !WITHOUT_KEY.includes(name))
    .map((name) => name.replace('/api/v1', '').replace(/\{(\w+)\}/g, ':$1'));
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

async function prepared(route: string): Promise<ChangingRequest> {
  const prepare = CHANGING_REQUESTS[route];
  if (!prepare) {
    throw new Error(`No request for ${route}: write one in test/support/changing-requests.ts.`);
  }
  return prepare(factory);
}

function send({ path, token, body }: ChangingRequest, key: string, requestId: string = randomUUID()): Promise<Answer> {
  return request(application.url, 'POST', `/api/v1${path}`, {
    ...(token === undefined ? {} : { token }),
    body,
    headers: { 'idempotency-key': key, 'x-request-id': requestId },
  });
}

/** Another good body for the same route; where none is taken, any. */
function another({ body, ...changing }: ChangingRequest): ChangingRequest {
  const fresh: Record<string, () => unknown> = {
    email: () => `${randomUUID()}@example.com`,
    users: () => [{ email: `${randomUUID()}@example.com` }],
    devices: () => [{ hardwareId: randomUUID() }],
    code: () => 'another code',
    overlapSeconds: () => 61,
    overlapHours: () => 2,
    url: () => 'https://hooks.example.com/another',
    endpoint: () => 'https://push.example.com/another',
    format: () => 'ndjson',
    until: () => '2026-12-06T09:00:00Z',
    hardwareId: randomUUID,
    userId: randomUUID,
    token: () => 'B'.repeat(43),
    name: () => ((body as { name?: string }).name === 'lock_door' ? 'restart_device' : 'Another'),
  };
  const members = Object.entries(body ?? {}).map(([name, value]) => [name, fresh[name]?.() ?? value] as const);
  return { ...changing, body: Object.fromEntries(members) };
}

function repeatable(body: unknown): unknown {
  return typeof body === 'object' && body !== null
    ? Object.fromEntries(Object.entries(body).filter(([name]) => !SHOWN_ONCE.has(name)))
    : body;
}

describe('P-20 one key, one execution', () => {
  it('on every POST but those of /auth: a repeat gets the same answer, and changes nothing', async () => {
    expect(routes.length).toBeGreaterThan(12);
    const faults: unknown[] = [];
    for (const route of routes) {
      const [changing, key] = [await prepared(route), randomUUID()];
      const first = await send(changing, key);
      expect(`${route} ${String(first.status)}`).toMatch(/ 2\d\d$/);
      const before = await databaseSnapshot(sql);
      const second = await send(changing, key);
      const [shown, repeated] = [first, second].map(({ status, body }) => ({ status, body: repeatable(body) }));
      if (JSON.stringify(shown) !== JSON.stringify(repeated)) {
        faults.push({ route, shown, repeated });
      }
      expect({ route, ...(await databaseSnapshot(sql)) }).toEqual({ route, ...before });
    }
    expect(faults).toEqual([]);
  }, 120_000);

  it('and the same key for another request is 422, and changes nothing', async () => {
    const faults: unknown[] = [];
    for (const route of routes) {
      const [changing, key] = [await prepared(route), randomUUID()];
      await send(changing, key);
      const { status, body } = await send(another(changing), key);
      if (status !== 422 || body.code !== 'idempotency_key_reused') {
        faults.push({ route, status, body });
      }
    }
    expect(faults).toEqual([]);
  }, 120_000);

  it('however many come at once', async () => {
    const faults: unknown[] = [];
    for (const route of routes) {
      const [changing, key, requestId] = [await prepared(route), randomUUID(), randomUUID()];
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send(changing, key, requestId)));
      const done = answers.filter(({ status }) => status < 300);
      // Who came while the first was running is told so; where a password is checked first, so many at once are too many.
      const others = answers.filter(({ status }) => status >= 300).map(({ body }) => String(body.code));
      const strange = others.filter((code) => !['idempotency_key_in_use', 'busy', 'login_throttled'].includes(code));
      const [row] = await sql.rows<{ entries: number; keys: number }>(
        `SELECT (SELECT count(*)::int FROM audit_entries WHERE request_id = $1 AND outcome = 'success'
                   AND action = (SELECT action FROM audit_entries WHERE request_id = $1 AND outcome = 'success'
                                 ORDER BY id DESC LIMIT 1)) AS entries,
                (SELECT count(*)::int FROM idempotency_records WHERE key = $2) AS keys`,
        [requestId, key],
      );
      if (done.length === 0 || strange.length > 0 || row?.entries !== 1 || row.keys !== 1) {
        faults.push({ route, done: done.length, strange, ...row });
      }
    }
    expect(faults).toEqual([]);
    recordFigure({
      promise: 'P-20',
      shown: `Every POST but those of /auth, ${String(AT_ONCE)} times at once with one key.`,
      n: routes.length * AT_ONCE,
      figure: '1 execution of each',
    });
  }, 180_000);
});
