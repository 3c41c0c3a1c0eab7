/**
 * What people do to their own account. Seen to fail: with the password check left out of deleting it, and with
 * `If-Match` ignored.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { OneTimeTokensService } from '../../src/features/auth/tokens/one-time-tokens.service.js';
import { type Account, createAccount, createAdmin, PASSWORD } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { Sql } from '../support/sql.js';

let application: TestApp;
let sql: Sql;
let ada: Account;
let bob: Account;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  ada = await createAccount(application.url, 'ada');
  bob = await createAccount(application.url, 'bob');
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

function ask<T = Record<string, unknown>>(
  who: Account,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  return request<T>(application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
}

const login = (identifier: string): Promise<Answer> =>
  request(application.url, 'POST', '/api/v1/auth/login', { body: { identifier, password: PASSWORD } });

describe('My account', () => {
  it('shows what is mine, with its version', async () => {
    const { body, headers } = await ask(ada, 'GET', '/users/me');
    expect(body).toMatchObject({ id: ada.id, email: ada.email, role: 'USER', lastLoginAt: expect.any(String) });
    expect(headers.get('etag')).toMatch(new RegExp(`^"${String(body.version)}-`));
    expect(JSON.stringify(body)).not.toMatch(/argon2|password/i);
  });

  it('takes other names, unless another account has them or the version is stale', async () => {
    const username = `ada-${randomUUID().slice(0, 8)}`;
    const changed = await ask(ada, 'PATCH', '/users/me', { displayName: ' Ada L. ', username: username.toUpperCase() });
    expect(changed.body).toMatchObject({ displayName: 'Ada L.', username });
    expect((await login(username)).status).toBe(200);
    const taken = await ask(bob, 'PATCH', '/users/me', { username });
    expect([taken.status, taken.body.code]).toEqual([409, 'username_taken']);
    const late = await ask(ada, 'PATCH', '/users/me', { displayName: 'Late' }, { 'if-match': '"0"' });
    expect(late.status).toBe(412);
    const without = await ask(ada, 'PATCH', '/users/me', { username: null });
    expect([without.body.username, without.body.displayName]).toEqual([null, 'Ada L.']);
  });

  it.each(['Admin', 'root', 'SUPPORT'])(
    'does not take the name %s, which people would take for ours',
    async (username) => {
      const { status, body } = await ask(ada, 'PATCH', '/users/me', { username });
      const errors = [{ detail: '`username` is reserved; choose another one', pointer: '/username' }];
      expect([status, body.errors]).toEqual([422, errors]);
    },
  );

  it.each(['کتاب\u200cها', '👩\u200d🚀 Ada', 'Zoë'])('takes the display name %p', async (displayName) => {
    const { status, body } = await ask(ada, 'PATCH', '/users/me', { displayName });
    expect([status, body.displayName]).toEqual([200, displayName]);
  });

  it.each([
    { email: 'x@example.com' },
    { role: 'ADMIN' },
    { displayName: ' ' },
    { displayName: null },
    { displayName: '\u200b\u200d' },
    { displayName: '\u2060\ufeff\u00ad' },
    { displayName: 'Ada\u202eecalevoL' },
    { displayName: 'Ada \u2066Lovelace\u2069' },
    { username: 'a@b' },
  ])('does not take %p', async (body) => {
    expect((await ask(ada, 'PATCH', '/users/me', body)).status).toBe(400);
  });
});

describe('My preferences', () => {
  it('begin with the defaults, and change one by one', async () => {
    const { body } = await ask(ada, 'GET', '/users/me/preferences');
    expect(body).toEqual({
      theme: 'system',
      language: 'en',
      notificationChannels: ['in_app', 'email'],
      quietHours: null,
    });
    const quietHours = { from: '22:00', until: '07:00', timeZone: 'Europe/Berlin' };
    await ask(ada, 'PATCH', '/users/me/preferences', { quietHours, language: 'de-CH' });
    await ask(ada, 'PATCH', '/users/me/preferences', { theme: 'dark', notificationChannels: ['push'] });
    const wanted = { theme: 'dark', language: 'de-CH', notificationChannels: ['push'], quietHours };
    expect((await ask(ada, 'GET', '/users/me/preferences')).body).toEqual(wanted);
    expect((await ask(ada, 'PATCH', '/users/me/preferences', { quietHours: null })).body).toEqual({
      ...wanted,
      quietHours: null,
    });
    expect((await ask(bob, 'GET', '/users/me/preferences')).body).toMatchObject({ theme: 'system' });
  });

  it('keep both of two changes at once', async () => {
    await Promise.all([
      ask(bob, 'PATCH', '/users/me/preferences', { theme: 'light' }),
      ask(bob, 'PATCH', '/users/me/preferences', { language: 'fr' }),
    ]);
    expect((await ask(bob, 'GET', '/users/me/preferences')).body).toMatchObject({ theme: 'light', language: 'fr' });
  });

  it.each([
    { theme: 'neon' },
    { language: 'not a language' },
    { notificationChannels: ['pigeon'] },
    { notificationChannels: ['email', 'email'] },
    { quietHours: { from: '25:00', until: '07:00', timeZone: 'Europe/Berlin' } },
    { quietHours: { from: '22:00', until: '07:00', timeZone: '+01:00' } },
    { quietHours: { from: '22:00' } },
  ])('cannot be %p', async (body) => {
    expect((await ask(ada, 'PATCH', '/users/me/preferences', body)).status).toBe(400);
  });
});

describe('My activity', () => {
  it('shows what I did and what was done to me, without the IP addresses of others', async () => {
    const eve = await createAccount(application.url, 'eve');
    const admin = await createAdmin(application);
    await ask(eve, 'PATCH', '/users/me', { displayName: 'Eve' });
    await ask(admin, 'PATCH', `/users/${eve.id}`, { displayName: 'Evelyn' });
    const refreshed = await request(application.url, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: eve.refreshToken },
    });
    expect(refreshed.status).toBe(200);
    const first = await ask<{ items: Record<string, unknown>[]; nextCursor: string }>(
      eve,
      'GET',
      '/users/me/activity?limit=2',
    );
    expect(first.body.items).toMatchObject([
      { action: 'user_updated', byMe: false, address: null, userAgent: null },
      { action: 'profile_updated', byMe: true, address: expect.any(String) },
    ]);
    const rest = await ask<{ items: Record<string, unknown>[] }>(
      eve,
      'GET',
      `/users/me/activity?cursor=${first.body.nextCursor}`,
    );
    expect(rest.body.items.map(({ action }) => action)).toContain('login');
    expect(JSON.stringify([first.body, rest.body])).not.toContain(admin.id);
  });
});

describe('My e-mail address', () => {
  it('is another one when the mailed link was followed, and not before', async () => {
    const eve = await createAccount(application.url, 'eve');
    const email = `moved-${randomUUID()}@example.com`;
    expect((await ask(eve, 'POST', '/users/me/email', { email, password: 'not my password' })).status).toBe(422);
    const asked = await ask(eve, 'POST', '/users/me/email', { email, password: PASSWORD });
    expect(asked.status).toBe(202);
    expect((await ask(eve, 'GET', '/users/me')).body.email).toBe(eve.email);
    expect(
      await sql.rows(`SELECT payload FROM one_time_tokens WHERE user_id = $1 AND purpose = 'email_change'`, [eve.id]),
    ).toEqual([{ payload: { email } }]);

    const tokens = application.get(OneTimeTokensService);
    const token = await tokens.issue('email_change', { userId: eve.id, payload: { email }, ttlMs: 60_000 });
    const confirm = (): Promise<Answer> =>
      request(application.url, 'POST', '/api/v1/auth/email/confirm', { body: { token } });
    expect((await confirm()).status).toBe(204);
    expect([(await login(email)).status, (await login(eve.email)).status]).toEqual([200, 401]);
    expect((await confirm()).status).toBe(422);
  });

  it('cannot be one that is taken, and asking for it does not tell', async () => {
    const answers = await Promise.all(
      [bob.email, `free-${randomUUID()}@example.com`].map((email) =>
        ask(ada, 'POST', '/users/me/email', { email, password: PASSWORD }),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [202, undefined],
      [202, undefined],
    ]);
    const tokens = application.get(OneTimeTokensService);
    const token = await tokens.issue('email_change', { userId: ada.id, payload: { email: bob.email }, ttlMs: 60_000 });
    const confirmed = await request(application.url, 'POST', '/api/v1/auth/email/confirm', { body: { token } });
    expect([confirmed.status, confirmed.body.code]).toEqual([409, 'email_taken']);
  });
});

describe('My password', () => {
  it('is not guessed for long by who has my session, whatever they ask with it', async () => {
    const eve = await createAccount(application.url, 'eve');
    const password = 'not my password';
    const guesses = [
      () => ask(eve, 'DELETE', '/users/me', { password }),
      () => ask(eve, 'POST', '/users/me/email', { email: `moved-${randomUUID()}@example.com`, password }),
      () => ask(eve, 'POST', '/auth/password', { currentPassword: password, newPassword: 'quiet lantern meadow 12' }),
    ];
    const answers: Answer[] = [];
    for (const guess of [...guesses, ...guesses]) {
      answers.push(await guess());
    }
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      ...Array.from({ length: 5 }, () => [422, 'wrong_password']),
      [429, 'login_throttled'],
    ]);
    expect(answers.map(({ body }) => (body.errors as { pointer: string }[] | undefined)?.[0]?.pointer)).toEqual([
      '/password',
      '/password',
      '/currentPassword',
      '/password',
      '/password',
      undefined,
    ]);
  });
});

describe('Deleting my account', () => {
  it('asks for the password again, and ends every session', async () => {
    const eve = await createAccount(application.url, 'eve');
    const second = await login(eve.email);
    const wrong = await ask(eve, 'DELETE', '/users/me', { password: 'not my password' });
    expect([wrong.status, wrong.body.code]).toEqual([422, 'wrong_password']);
    expect((await ask(eve, 'DELETE', '/users/me', { password: PASSWORD })).status).toBe(204);
    for (const accessToken of [eve.accessToken, String(second.body.accessToken)]) {
      expect((await ask({ ...eve, accessToken }, 'GET', '/users/me')).status).toBe(401);
    }
    const refreshed = await request(application.url, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: eve.refreshToken },
    });
    expect([refreshed.status, (await login(eve.email)).status]).toEqual([401, 401]);
  });

  it('leaves no cookie with a web client', async () => {
    const eve = await createAccount(application.url, 'eve');
    const gone = await ask(eve, 'DELETE', '/users/me', { password: PASSWORD }, { 'x-client-type': 'web' });
    const cookies = gone.headers.getSetCookie().join();
    expect(gone.status).toBe(204);
    expect(cookies).toMatch(/__Host-mortise_refresh=;/);
    expect(cookies).toMatch(/__Host-mortise_device=;/);
  });
});
