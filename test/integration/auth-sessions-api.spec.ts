import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { TestApp } from '../support/test-app.js';
import { type Account, createAccount, PASSWORD, signIn } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { Sql } from '../support/sql.js';

const WEB = { 'x-client-type': 'web' };
const COOKIE = '__Host-mortise_refresh';

interface ListedSession {
  readonly id: string;
  readonly current: boolean;
  readonly device: string;
}

describe('sessions over HTTP', () => {
  let application: TestApp;
  let sql: Sql;
  let ada: Account;

  beforeAll(async () => {
    application = await TestApp.start({ env: { ROLES: 'api' } });
    sql = await Sql.open(application.databaseUrl);
  });

  beforeEach(async () => {
    ada = await createAccount(application.url, 'ada');
  });

  afterAll(async () => {
    await sql.end();
    await application.stop();
  });

  const call = <T = Record<string, unknown>>(
    method: string,
    path: string,
    options: Parameters<typeof request>[3] = {},
  ): Promise<Answer<T>> => request<T>(application.url, method, `/api/v1/auth/${path}`, options);
  const sessionsOf = async (token: string): Promise<ListedSession[]> =>
    (await call<{ items: ListedSession[] }>('GET', 'sessions', { token })).body.items;
  const isSignedIn = async (token: string): Promise<boolean> =>
    (await request(application.url, 'GET', '/api/v1/users/me', { token })).status === 200;
  const sessionId = (token: string): string => decodeJwt<{ sid: string }>(token).sid;
  const audited = (session: string): Promise<{ action: string; outcome: string; code: string | null }[]> =>
    sql.rows(`SELECT action, outcome, code FROM audit_entries WHERE $1 IN (entity_id, session_id::text) ORDER BY id`, [
      session,
    ]);

  it('are listed with device, IP address and times, and say which one is current', async () => {
    await request(application.url, 'POST', '/api/v1/auth/login', {
      body: { identifier: ada.email, password: PASSWORD, rememberMe: true },
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    });
    const answer = await call<{ items: Record<string, unknown>[] }>('GET', 'sessions', { token: ada.accessToken });
    expect(answer.status).toBe(200);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const common = { id: expect.any(String), address: '127.0.0.1', createdAt: time, lastSeenAt: time, expiresAt: time };
    expect(answer.body.items).toEqual([
      { ...common, current: false, device: 'Firefox on Linux', rememberMe: true },
      { ...common, current: true, device: expect.any(String), rememberMe: false },
    ]);
  });

  it('are ended one by one, and only by their owner', async () => {
    const phone = await signIn(application.url, ada.email);
    const mallory = await createAccount(application.url, 'mallory');
    for (const id of [sessionId(phone.accessToken), randomUUID(), 'nonsense']) {
      const answer = await call<{ code: string }>('DELETE', `sessions/${id}`, { token: mallory.accessToken });
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
    expect(await isSignedIn(phone.accessToken)).toBe(true);
    const end = (): Promise<Answer> =>
      call('DELETE', `sessions/${sessionId(phone.accessToken)}`, { token: ada.accessToken });
    expect((await end()).status).toBe(204);
    expect((await end()).status).toBe(404);
    expect([await isSignedIn(phone.accessToken), await isSignedIn(ada.accessToken)]).toEqual([false, true]);
    expect((await audited(sessionId(phone.accessToken))).map(({ action, outcome }) => [action, outcome])).toEqual([
      ['login', 'success'],
      ['session_revoked', 'failure'],
      ['session_revoked', 'success'],
      ['session_revoked', 'failure'],
    ]);
  });

  it('end all at once, or all but the one that asks', async () => {
    const others = [await signIn(application.url, ada.email), await signIn(application.url, ada.email)];
    expect((await call('POST', 'logout-others', { token: ada.accessToken })).body).toEqual({ ended: 2 });
    expect(await sessionsOf(ada.accessToken)).toEqual([expect.objectContaining({ current: true })]);
    for (const { accessToken } of others) {
      expect(await isSignedIn(accessToken)).toBe(false);
    }
    await signIn(application.url, ada.email);
    expect((await call('POST', 'logout-all', { token: ada.accessToken })).body).toEqual({ ended: 2 });
    expect(await isSignedIn(ada.accessToken)).toBe(false);
    expect(await audited(ada.id)).toEqual([
      expect.objectContaining({ action: 'account_registered' }),
      { action: 'sessions_revoked', outcome: 'success', code: null },
      { action: 'sessions_revoked', outcome: 'success', code: null },
    ]);
  });

  it('leave a trace of every refresh and logout, and of those that failed', async () => {
    const refreshed = await call<{ accessToken: string }>('POST', 'refresh', {
      body: { refreshToken: ada.refreshToken },
    });
    expect((await call('POST', 'logout', { token: refreshed.body.accessToken })).status).toBe(204);
    expect((await call('POST', 'refresh', { body: { refreshToken: 'nonsense' } })).status).toBe(401);
    expect((await audited(sessionId(ada.accessToken))).map(({ action }) => action)).toEqual([
      'login',
      'session_refreshed',
      'logout',
    ]);
    const [failure] = await sql.rows(
      `SELECT actor, outcome, code, address FROM audit_entries WHERE action = 'session_refreshed' AND outcome = 'failure'`,
    );
    expect(failure).toEqual({
      actor: 'anonymous',
      outcome: 'failure',
      code: 'invalid_refresh_token',
      address: '127.0.0.1',
    });
  });

  describe('of web clients', () => {
    interface WebAnswer {
      readonly status: number;
      readonly body: Record<string, unknown>;
      readonly setCookie: string | null;
      readonly cookie: string;
    }

    async function asBrowser(path: string, options: Parameters<typeof request>[3]): Promise<WebAnswer> {
      const { status, body, headers } = await call('POST', path, options);
      const setCookie = headers.getSetCookie().find((each) => each.startsWith(COOKIE)) ?? null;
      return { status, body, setCookie, cookie: setCookie?.split(';')[0] ?? '' };
    }

    const login = (rememberMe = false): Promise<WebAnswer> =>
      asBrowser('login', { body: { identifier: ada.email, password: PASSWORD, rememberMe }, headers: WEB });

    it.each([
      ['with', 'the same successor again', 200],
      ['without', 'nothing', 401],
    ])('that retry %s the cookie of their known device get %s', async (which, _what, status) => {
      const { headers } = await call('POST', 'login', {
        body: { identifier: ada.email, password: PASSWORD },
        headers: WEB,
      });
      const [refresh = '', device = ''] = headers.getSetCookie().map((each) => each.split(';')[0]);
      const retry = (agent: string): Promise<WebAnswer> =>
        asBrowser('refresh', {
          headers: { ...WEB, 'user-agent': agent, cookie: which === 'with' ? `${device}; ${refresh}` : refresh },
        });
      const first = await retry('browser');
      const second = await retry('the same, updated');
      expect([device.split('=')[0], first.status, second.status]).toEqual(['__Host-mortise_device', 200, status]);
      expect(second.cookie).toBe(status === 200 ? first.cookie : '');
    });

    it('keep the refresh token in a cookie that no script and no other site gets', async () => {
      const { body, setCookie } = await login();
      expect(body).toMatchObject({ accessToken: expect.any(String), refreshExpiresIn: 604_800 });
      expect(body).not.toHaveProperty('refreshToken');
      expect(
        setCookie
          ?.replace(/=[\w-]+;/, '=token;')
          .split('; ')
          .sort(),
      ).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Strict', 'Secure', `${COOKIE}=token`]);
      expect((await login(true)).setCookie).toContain('Max-Age=2592000');
    });

    it('are refreshed by the cookie, only together with the header', async () => {
      const { cookie } = await login();
      const forged = await asBrowser('refresh', { headers: { cookie } });
      expect([forged.status, forged.setCookie]).toEqual([400, null]);
      const first = await asBrowser('refresh', { headers: { cookie, ...WEB } });
      expect([first.status, first.body.refreshToken]).toEqual([200, undefined]);
      expect(first.cookie).not.toBe(cookie);
      expect((await asBrowser('refresh', { headers: { cookie: first.cookie, ...WEB } })).status).toBe(200);
    });

    it('do not take a token from the body, nor go on without a cookie', async () => {
      const { status, body } = await asBrowser('refresh', { body: { refreshToken: ada.refreshToken }, headers: WEB });
      expect([status, body.code]).toEqual([401, 'invalid_refresh_token']);
    });

    it('lose the cookie when they end; the cookie alone ends nothing', async () => {
      const { body, cookie } = await login();
      expect((await asBrowser('logout', { headers: { cookie, ...WEB } })).status).toBe(401);
      const ended = await asBrowser('logout', { token: String(body.accessToken), headers: { cookie, ...WEB } });
      expect([ended.status, ended.cookie]).toEqual([204, `${COOKIE}=`]);
      expect(ended.setCookie).toMatch(/Max-Age=0|Expires=Thu, 01 Jan 1970/);
      expect((await asBrowser('refresh', { headers: { cookie, ...WEB } })).status).toBe(401);
    });
  });
});
