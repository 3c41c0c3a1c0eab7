/**
 * The limits of HTTP hold on sockets. Each test was seen to fail without its line in the socket's rate limiter: the look at
 * blocked addresses, the count of strangers, the count of messages.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import { TestApp } from '../support/test-app.js';
import { Dashboard } from '../support/dashboard.js';
import { createAccount } from '../support/accounts.fixture.js';

const PAGE = 'https://doors.example';

let app: TestApp;
let lastHost = 0;

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: '20/1m',
      RATE_LIMIT_USER: '30/1m',
      RATE_LIMIT_AUTH: '100/1m',
      TRUSTED_PROXIES: '127.0.0.1/32',
      CORS_ORIGINS: PAGE,
    },
  });
});

afterAll(() => app.stop());

function nextAddress(): { 'x-forwarded-for': string } {
  lastHost += 1;
  return { 'x-forwarded-for': `198.51.100.${String(lastHost)}` };
}

async function refusalOf(token: string, from: Record<string, string>): Promise<unknown> {
  try {
    (await Dashboard.connect(app.url, { token, clientType: 'dashboard' }, from)).close();
    return null;
  } catch (error) {
    return (error as { data?: { code?: string } }).data?.code ?? 'no connection';
  }
}

describe('a socket', () => {
  it('counts handshakes without a valid token by IP address, and blocks the address that goes on', async () => {
    const [from, elsewhere] = [nextAddress(), nextAddress()];
    const unsigned = 'eyJhbGciOiJub25lIn0.e30.AAAA';
    const codes: unknown[] = [];
    for (let time = 0; time < 32; time += 1) {
      codes.push(await refusalOf(unsigned, from));
    }
    expect(codes).toEqual([
      ...Array.from({ length: 20 }, () => 'unauthenticated'),
      ...Array.from({ length: 10 }, () => 'rate_limited'),
      ...Array.from({ length: 2 }, () => 'no connection'),
    ]);
    const { accessToken } = await createAccount(app.url, 'neighbour');
    expect(await refusalOf(accessToken, from)).toBe('no connection');
    expect(await refusalOf(accessToken, elsewhere)).toBeNull();
  });

  it('is refused to a blocked address by every transport, until the block is over', async () => {
    const from = nextAddress();
    const { accessToken } = await createAccount(app.url, 'guest');
    const poll = async (): Promise<number> =>
      (await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: from })).status;
    expect([await refusalOf(accessToken, from), await poll()]).toEqual([null, 200]);
    const blocked = app.get(BlockedIpStore);
    await blocked.block(from['x-forwarded-for'], 'rate_limit:anonymous', 60_000);
    expect([await refusalOf(accessToken, from), await poll()]).toEqual(['no connection', 403]);
    await blocked.lift(from['x-forwarded-for']);
    expect([await refusalOf(accessToken, from), await poll()]).toEqual([null, 200]);
  });

  it('counts its messages among the requests of its person, whatever the address', async () => {
    const { accessToken } = await createAccount(app.url, 'talker');
    const dashboard = await Dashboard.connect(app.url, { token: accessToken, clientType: 'dashboard' }, nextAddress());
    const codes: unknown[] = [];
    for (let time = 0; time < 35; time += 1) {
      const answer = await dashboard.request('subscribe_device', { deviceId: randomUUID() });
      codes.push('error' in answer ? answer.error.code : null);
    }
    dashboard.close();
    expect(new Set(codes.slice(0, 29))).toEqual(new Set(['not_found']));
    expect(new Set(codes.slice(29))).toEqual(new Set(['rate_limited']));
    expect(await refusalOf(accessToken, nextAddress())).toBe('rate_limited');
  });

  it('lets the pages of listed origins poll, and no others', async () => {
    const allowed = async (origin: string): Promise<string | null> =>
      (
        await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: { ...nextAddress(), origin } })
      ).headers.get('access-control-allow-origin');
    expect([await allowed(PAGE), await allowed('https://elsewhere.example')]).toEqual([PAGE, null]);
  });
});
