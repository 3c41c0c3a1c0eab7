/**
 * An open socket is as good as its access token, and as its client that answers pings. Seen to fail: with a connection that outlives its token, with a token of another
 * session that is taken, and with a role that stays what it was when the socket connected.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { readFile } from 'node:fs/promises';
import type { Server } from 'socket.io';
import { RealtimeGateway } from '../../src/features/realtime/sockets/realtime.gateway.js';
import { DashboardTokensService } from '../../src/features/realtime/sockets/dashboard-tokens.service.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { tokenFor } from '../support/access-tokens.js';
import { createAccount, insertAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let application: TestApp;
let tokens: DashboardTokensService;
const open: Dashboard[] = [];

beforeAll(async () => {
  application = await TestApp.start();
  tokens = application.get(DashboardTokensService);
}, 60_000);

afterAll(() => application.stop());

afterEach(() => {
  open.splice(0).forEach((dashboard) => {
    dashboard.close();
  });
});

async function connect(token: string): Promise<Dashboard> {
  const dashboard = await Dashboard.signedIn(application.url, token);
  open.push(dashboard);
  return dashboard;
}

const expiryOf = (token: string): number => (decodeJwt(token).exp ?? 0) * 1_000;

/** The same token, that expires in so many seconds. */
const expiringIn = (seconds: number, token: string): Promise<string> => tokenFor(seconds, application, token);

const heard = ({ heard: all }: Dashboard, name: string): unknown[] =>
  all.filter((one) => one.name === name).map(({ payload }) => payload);

describe('A socket whose token expires', () => {
  it('is told before, goes on with a fresh token, and ends half a minute after the last one', async () => {
    const account = await createAccount(application.url);
    const [dashboard, lazy] = [await connect(account.accessToken), await connect(account.accessToken)];
    const end = expiryOf(account.accessToken);
    tokens.sweep(end - 61_000);
    tokens.sweep(end - 59_000);
    tokens.sweep(end - 58_000);
    const expiresAt = new Date(end).toISOString();
    await eventually('both are told, once', () =>
      [dashboard, lazy].every((each) => heard(each, 'token_expiring').length === 1),
    );
    expect(heard(dashboard, 'token_expiring')).toEqual([{ expiresAt }]);

    const fresh = await expiringIn(1_800, account.accessToken);
    expect(await dashboard.request('refresh_token', { token: fresh })).toEqual({
      ok: true,
      expiresAt: new Date(expiryOf(fresh)).toISOString(),
    });
    tokens.sweep(end + 29_000);
    expect(lazy.socket.connected).toBe(true);
    tokens.sweep(end + 30_000);
    expect(await lazy.closed()).toMatchObject({ code: 'token_expired', status: 401 });
    expect(dashboard.socket.connected).toBe(true);
    tokens.sweep(expiryOf(fresh) + 30_000);
    expect(await dashboard.closed()).toMatchObject({ code: 'token_expired' });
    // The session goes on: it is no end of it.
    expect([dashboard.endReason, lazy.endReason]).toEqual([undefined, undefined]);
    const { status } = await request(application.url, 'GET', '/api/v1/users/me', { token: account.accessToken });
    expect(status).toBe(200);
  });

  it('takes a token of its own session alone, that stands now; an older one changes nothing', async () => {
    const account = await createAccount(application.url);
    const dashboard = await connect(account.accessToken);
    const [other, stranger] = [await insertAccount(application), await createAccount(application.url)];
    const secondSession = await request<{ accessToken: string }>(application.url, 'POST', '/api/v1/auth/login', {
      body: { identifier: account.email, password: account.password },
    });
    for (const [token, code] of [
      [other.accessToken, 'other_session'],
      [stranger.accessToken, 'other_session'],
      [secondSession.body.accessToken, 'other_session'],
      [await expiringIn(-60, account.accessToken), 'token_expired'],
      [`${account.accessToken.slice(0, -4)}AAAA`, 'token_invalid'],
      ['no-token', 'invalid_request'],
    ] as const) {
      expect([code, await dashboard.request('refresh_token', { token })]).toMatchObject([code, { error: { code } }]);
    }
    expect(await dashboard.request('refresh_token', { token: await expiringIn(60, account.accessToken) })).toEqual({
      ok: true,
      expiresAt: new Date(expiryOf(account.accessToken)).toISOString(),
    });
    await request(application.url, 'POST', '/api/v1/auth/logout', { token: account.accessToken });
    await dashboard.closed();
    expect(dashboard.endReason).toBe('logout');
  });

  it('has the role of its fresh token', async () => {
    const [admin, other] = [await insertAccount(application), await insertAccount(application, { role: 'ADMIN' })];
    const [dashboard, watching] = [await connect(admin.accessToken), await connect(other.accessToken)];
    await alert('account');
    // What is told later goes to those who are administrators by then.
    await watching.expect('the alert', ({ message }) => message.type === 'system_alert');
    await application.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [admin.id]);
    const { token } = await application
      .get(AccessTokenFactory)
      .sign({ userId: admin.id, sessionId: admin.sessionId, role: 'ADMIN' });
    expect(await dashboard.request('refresh_token', { token })).toMatchObject({ ok: true });
    await alert('overall');
    await dashboard.expect('the alert', ({ message }) => message.type === 'system_alert');
    expect(dashboard.received.map(({ message }) => (message.payload as { scope?: string }).scope)).toEqual(['overall']);
  });
});

async function alert(scope: 'account' | 'overall'): Promise<void> {
  const payload = { alert: 'login_failures', scope, failures: 20, windowSeconds: 60 } as const;
  const log = application.get(EventLog);
  await application
    .get(Transactions)
    .run(() => log.append({ type: 'system_alert', payload, source: 'system', actor: 'system' }));
}

/** Seen to fail: with a client that answers, and with another time than the page says. */
describe('A client that does not answer pings', () => {
  it('is gone after the time that docs/realtime.md says', async () => {
    const { server } = application.get(RealtimeGateway) as unknown as { server: Server };
    const { opts } = server.engine as unknown as { opts: { pingInterval: number; pingTimeout: number } };
    const page = await readFile('docs/realtime.md', 'utf8');
    const [, every, within] = /\| pings \|.* every (\d+) s;.* within (\d+) s is gone/.exec(page) ?? [];
    expect(opts).toMatchObject({ pingInterval: Number(every) * 1_000, pingTimeout: Number(within) * 1_000 });
    const usual = { ...opts };
    // The same, faster; what answers has time for it on a busy machine, too.
    Object.assign(opts, { pingInterval: 200, pingTimeout: 2_000 });
    const { accessToken } = await insertAccount(application);
    const [silent, neighbour] = [await connect(accessToken), await connect(accessToken)];
    const { engine } = silent.socket.io as unknown as { engine: { _sendPacket: (type: string) => void } };
    engine._sendPacket = () => undefined;
    let pings = 0;
    neighbour.socket.io.on('ping', () => (pings += 1));
    await silent.closed();
    await eventually('its neighbour is asked several times', () => pings >= 3);
    expect(neighbour.socket.connected).toBe(true);
    Object.assign(opts, usual);
  });
});
