/**
 * P-19, the other half: an audit entry of a failure or refusal names its target, and a look into other people's data
 * leaves one. Seen to fail: with the target left out of the entry of a failure, with the refusals of guards going by
 * unseen, and with reads of members, invitations, history, commands and blocked addresses that left no entry.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TestApp } from '../support/test-app.js';
import { RequestFactory } from '../support/changing-requests.js';
import { AUDITED_READS, sharedDevice, UNAUDITED_READS } from '../support/reading-requests.js';
import { Dashboard } from '../support/dashboard.js';
import { serverRoutes } from '../support/server-routes.js';
import type { Account, InsertedAccount } from '../support/accounts.fixture.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { Sql } from '../support/sql.js';

interface Entry {
  readonly action: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly actor: string;
  readonly type: string | null;
  readonly id: string | null;
}

interface Answered extends Answer {
  readonly entries: Entry[];
}

let application: TestApp;
let sql: Sql;
let factory: RequestFactory;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  factory = await RequestFactory.start(application, sql);
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

function entriesOf(requestId: string): Promise<Entry[]> {
  return sql.rows<Entry & object>(
    `SELECT action, outcome, code, actor, entity_type AS type, entity_id AS id FROM audit_entries
     WHERE request_id = $1 ORDER BY id`,
    [requestId],
  );
}

async function send(
  method: string,
  path: string,
  { token, body, requestId = randomUUID() }: { token?: string; body?: unknown; requestId?: string } = {},
): Promise<Answered> {
  const answer = await request(application.url, method, `/api/v1${path}`, {
    ...(token === undefined ? {} : { token }),
    body,
    headers: { 'x-request-id': requestId },
  });
  return { ...answer, entries: await entriesOf(requestId) };
}

async function activityOf(person: Account): Promise<Record<string, unknown>[]> {
  const { body } = await request<{ items: Record<string, unknown>[] }>(
    application.url,
    'GET',
    '/api/v1/users/me/activity',
    { token: person.accessToken },
  );
  return body.items;
}

const wrong = (identifier: string): Promise<Answered> =>
  send('POST', '/auth/login', { body: { identifier, password: 'not the password of any account' } });

describe('P-19 a failure is audited with its target', () => {
  it('names the account whose password was guessed, and tells its owner', async () => {
    const ada = await factory.registered();
    const { status, entries } = await wrong(ada.email.toUpperCase());
    expect(status).toBe(401);
    expect(entries).toEqual([
      {
        action: 'login',
        outcome: 'failure',
        code: 'invalid_credentials',
        actor: 'anonymous',
        type: 'user',
        id: ada.id,
      },
    ]);
    expect(await activityOf(ada)).toContainEqual(
      expect.objectContaining({ action: 'login', outcome: 'failure', byMe: false, address: null }),
    );
  });

  it('records an unknown identifier as a keyed hash, never as it was typed', async () => {
    const typed = `unknown-${randomUUID()}`;
    const [first, again, other] = [await wrong(typed), await wrong(typed.toUpperCase()), await wrong(`${typed}x`)];
    expect(first.entries).toMatchObject([{ type: 'identifier', id: expect.stringMatching(/^[\w-]{30}$/) }]);
    expect(again.entries[0]?.id).toBe(first.entries[0]?.id);
    expect(other.entries[0]?.id).not.toBe(first.entries[0]?.id);
    expect(
      await sql.rows(`SELECT 1 FROM audit_entries e WHERE to_jsonb(e)::text ILIKE '%' || $1 || '%'`, [typed]),
    ).toEqual([]);
  });

  it('records the user id that an administrator named, even if there is no such account', async () => {
    const unknownId = randomUUID();
    for (const [method, path] of [
      ['POST', `/users/${unknownId}/block`],
      ['DELETE', `/users/${unknownId}`],
      ['GET', `/users/${unknownId}`],
    ] as const) {
      const { status, entries } = await send(method, path, { token: factory.admin.accessToken });
      expect([path, status]).toEqual([path, 404]);
      expect(entries).toMatchObject([{ outcome: 'failure', code: 'user_not_found', type: 'user', id: unknownId }]);
    }
  });

  it('names addresses and networks, but not whatever else stands in their place', async () => {
    const lift = (address: string): ReturnType<typeof send> =>
      send('DELETE', `/auth/blocked-addresses/${encodeURIComponent(address)}`, { token: factory.admin.accessToken });
    expect((await lift('2001:db8:1:2::/64')).entries).toMatchObject([{ type: 'address', id: '2001:db8:1:2::/64' }]);
    expect((await lift('a name, or worse')).entries).toMatchObject([{ outcome: 'failure', type: null, id: null }]);
  });

  it('tells its owner that a refresh token came back', async () => {
    const ada = await factory.registered();
    const refresh = (refreshToken: string): ReturnType<typeof send> =>
      send('POST', '/auth/refresh', { body: { refreshToken } });
    const second = await refresh(ada.refreshToken);
    await refresh(String(second.body.refreshToken));
    const reused = await refresh(ada.refreshToken);
    expect(reused.body).toMatchObject({ code: 'token_reused' });
    const id = await factory.sessionOf(ada);
    expect(reused.entries).toEqual([
      {
        action: 'token_reuse_detected',
        outcome: 'success',
        code: null,
        actor: `user:${ada.id}`,
        type: 'session',
        id,
      },
      {
        action: 'session_refreshed',
        outcome: 'failure',
        code: 'token_reused',
        actor: 'anonymous',
        type: 'session',
        id,
      },
    ]);
    const { body: again } = await request<{ accessToken: string }>(application.url, 'POST', '/api/v1/auth/login', {
      body: { identifier: ada.email, password: ada.password },
    });
    expect(await activityOf({ ...ada, accessToken: again.accessToken })).toContainEqual(
      expect.objectContaining({ action: 'token_reuse_detected', entityId: id }),
    );
  });
});

describe('P-19 a look into other people’s data is audited', () => {
  let fixture: OrganizationsFixture;

  beforeAll(() => {
    fixture = OrganizationsFixture.on(application, sql);
  });

  const look = (path: string, { accessToken }: InsertedAccount): Promise<Answered> =>
    send('GET', path, { token: accessToken });

  it('on every route that reads, but for those that are listed with a reason', () => {
    const reading = serverRoutes(application.nest).filter((route) => route.startsWith('GET /') && !route.includes('*'));
    const known = [...Object.keys(AUDITED_READS), ...Object.keys(UNAUDITED_READS)];
    expect(reading.filter((route) => !known.includes(route) && !route.startsWith('GET /api/docs/'))).toEqual([]);
    expect(known.filter((route) => !reading.includes(route))).toEqual([]);
  });

  it.each(Object.entries(AUDITED_READS))('%s', async (_route, { action, once, prepare }) => {
    const { path, reader, owner } = await prepare(fixture);
    const first = await look(path, reader);
    expect(first.status).toBe(200);
    const entry = { action, outcome: 'success', code: null, actor: `user:${reader.id}` };
    expect(first.entries).toMatchObject([{ ...entry, type: expect.any(String) }]);
    expect((await look(path, reader)).entries).toMatchObject(once ? [] : [entry]);
    if (owner) {
      const own = await look(path, owner);
      expect([own.status, own.entries]).toEqual([200, []]);
    }
  });

  it('or is refused while entries cannot be written', async () => {
    const prepared = await Promise.all(Object.values(AUDITED_READS).map(({ prepare }) => prepare(fixture)));
    await sql.rows(`ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action = 'nothing') NOT VALID`);
    try {
      for (const { path, reader, owner } of prepared) {
        const { status, entries } = await look(path, reader);
        expect([path, status >= 500, entries]).toEqual([path, true, []]);
        if (owner) {
          expect((await look(path, owner)).status).toBe(200);
        }
      }
    } finally {
      await sql.rows('ALTER TABLE audit_entries DROP CONSTRAINT planted');
    }
  });

  it('also where it was refused', async () => {
    const [{ path }, eve] = [await sharedDevice(fixture, '/events'), await fixture.createAccount('eve')];
    const { status, entries } = await look(path, eve);
    expect(status).toBe(404);
    expect(entries).toMatchObject([{ action: 'device_history_read', outcome: 'failure', code: 'not_found' }]);
  });

  it('and so is a dashboard that watches the device of another person', async () => {
    const { reader, owner, path } = await sharedDevice(fixture);
    const deviceId = path.split('/')[2] ?? '';
    for (const person of [reader, owner]) {
      const dashboard = await Dashboard.signedIn(application.url, person.accessToken);
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await dashboard.request('subscribe_device', { deviceId })).toEqual({ ok: true });
      }
      dashboard.close();
    }
    const watched = await sql.rows(
      `SELECT actor, entity_id AS id, address, session_id IS NOT NULL AS "hasSession" FROM audit_entries
       WHERE action = 'device_watched' AND entity_id = $1`,
      [deviceId],
    );
    expect(watched).toEqual([{ actor: `user:${reader.id}`, id: deviceId, address: '127.0.0.1', hasSession: true }]);
  });
});

describe('P-19 a refusal of a signed-in account is audited', () => {
  it('when an administrator’s route is asked for, whether it reads or changes', async () => {
    const [ada, eve] = [await factory.account(), await factory.account()];
    const cases = [
      ['GET', '/users', 'users_read', null, null],
      ['GET', '/audit', 'audit_read', null, null],
      ['POST', `/users/${ada.id}/block`, 'user_blocked', 'user', ada.id],
    ] as const;
    for (const [method, path, action, type, id] of cases) {
      const { status, entries } = await send(method, path, { token: eve.accessToken });
      expect([path, status]).toEqual([path, 403]);
      expect(entries).toEqual([{ action, outcome: 'failure', code: 'forbidden', actor: `user:${eve.id}`, type, id }]);
    }
  });

  it('when the device of another account is to be changed', async () => {
    const [{ id }, eve] = [await factory.device(), await factory.account()];
    const { status, entries } = await send('PATCH', `/devices/${id}`, {
      token: eve.accessToken,
      body: { name: 'Mine' },
    });
    expect(status).toBe(404);
    expect(entries).toMatchObject([{ action: 'device_updated', code: 'not_found', type: 'device', id }]);
  });

  it('but not without a session: strangers cannot fill the table', async () => {
    for (const token of [undefined, 'not-a-token']) {
      const { status, entries } = await send('GET', '/users', token === undefined ? {} : { token });
      expect([status, entries]).toEqual([401, []]);
    }
  });

  it('so many times a minute; more of the same person is counted only', async () => {
    const eve = await factory.account();
    const requestId = randomUUID();
    for (let turn = 0; turn < 50; turn++) {
      expect((await send('GET', '/users', { token: eve.accessToken, requestId })).status).toBe(403);
    }
    expect(await entriesOf(requestId)).toHaveLength(20);
  });
});
