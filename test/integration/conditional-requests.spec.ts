/** Reading with `If-None-Match`. Seen to fail: with the tag made of the version alone, and without any 304. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, createAdmin } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { request } from '../support/rest.js';
import { fill } from '../support/api-routes.js';
import { TestApp } from '../support/test-app.js';
import { exactRequest, type ExactAnswer } from '../support/exact-http.js';
import { Sql } from '../support/sql.js';

let application: TestApp;
let sql: Sql;
let ada: Account;
let ids: Record<string, string>;
let documented: string[];

/** Many things at once: their tags are weak, and no change refers to them. See test/contract/cache.spec.ts. */
const LISTS = [
  '/api/v1/devices',
  ...['dashboard', 'distribution', 'live', 'offline', 'top-doors', 'trends'].map((path) => `/api/v1/analytics/${path}`),
  '/api/v1/devices/stats',
  '/api/v1/events',
  '/api/v1/organizations',
  '/api/v1/shares',
  '/api/v1/users',
  '/api/v1/users/me/preferences',
  '/api/v1/users/search',
];

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  // An administrator may read accounts, too.
  ada = await createAdmin(application);
  const { id: deviceId } = await registerDevice(application.url, ada);
  const { body } = await request<{ id: string }>(application.url, 'POST', '/api/v1/organizations', {
    token: ada.accessToken,
    body: { name: 'House' },
  });
  const share = await request<{ id: string }>(application.url, 'POST', `/api/v1/devices/${deviceId}/shares`, {
    token: ada.accessToken,
    body: { email: 'guest@example.com', permission: 'view' },
  });
  const webhook = await request<{ id: string }>(application.url, 'POST', '/api/v1/webhooks', {
    token: ada.accessToken,
    body: { url: 'https://hooks.example.com/mortise' },
  });
  ids = { deviceId, organizationId: body.id, userId: ada.id, shareId: share.body.id, webhookId: webhook.body.id };
  const document = await request<{ paths: Record<string, { get?: { responses: object } }> }>(
    application.url,
    'GET',
    '/api/docs-json',
  );
  documented = Object.entries(document.body.paths)
    .filter(([path, { get }]) => get && '304' in get.responses && !LISTS.includes(path))
    .map(([path]) => path);
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

function read(path: string, tag?: string, method = 'GET'): Promise<ExactAnswer> {
  return exactRequest(application.url, {
    method,
    path: fill(path, ids),
    headers: { authorization: `Bearer ${ada.accessToken}`, ...(tag === undefined ? {} : { 'if-none-match': tag }) },
  });
}

describe('A GET of one resource', () => {
  it('answers 304 without a body to who has it already, and says so in the document', async () => {
    expect(documented.sort()).toEqual([
      '/api/v1/devices/{deviceId}',
      '/api/v1/devices/{deviceId}/settings',
      '/api/v1/devices/{deviceId}/shares/{shareId}',
      '/api/v1/organizations/{organizationId}',
      '/api/v1/users/me',
      '/api/v1/users/{userId}',
      '/api/v1/webhooks/{webhookId}',
    ]);
    for (const path of documented) {
      const tag = String((await read(path)).headers.etag);
      expect(tag).toMatch(/^"\d+-[\w-]+"$/);
      for (const [method, given] of [
        ['GET', tag],
        ['GET', `W/${tag}`],
        ['GET', `"other", ${tag}`],
        ['GET', '*'],
        ['HEAD', tag],
      ] as const) {
        const { status, headers, text } = await read(path, given, method);
        expect([path, method, given, status, headers.etag, text]).toEqual([path, method, given, 304, tag, '']);
        expect(headers['cache-control']).toBe('private, no-cache');
        expect(headers['content-type']).toBeUndefined();
      }
      for (const [method, given] of [
        ['GET', '"other"'],
        ['GET', tag.slice(1, -1)],
        ['HEAD', '"other"'],
      ] as const) {
        const { status, headers } = await read(path, given, method);
        expect([path, given, status, headers.etag]).toEqual([path, given, 200, tag]);
      }
    }
  });

  it('has another ETag after a lock was moved, although the device was not edited', async () => {
    const path = '/api/v1/devices/{deviceId}';
    const tag = String((await read(path)).headers.etag);
    await sql.rows(`UPDATE devices SET lock_state = 'unlocked' WHERE id = $1`, [ids.deviceId]);
    const moved = await read(path, tag);
    expect(moved.status).toBe(200);
    expect(moved.headers.etag).not.toBe(tag);
    const renamed = await request(application.url, 'PATCH', fill(path, ids), {
      token: ada.accessToken,
      body: { name: 'Side door' },
      headers: { 'if-match': tag },
    });
    expect(renamed.status).toBe(200);
    expect(renamed.headers.get('etag')).toMatch(/^"2-/);
  });
});
