/** Rate limits as a client meets them. Each test comes from addresses of its own, through a trusted proxy. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp } from '../support/test-app.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { emptyRedis } from '../support/redis.js';
import { createAccount, PASSWORD } from '../support/accounts.fixture.js';
import { RateLimitedClient } from '../support/rate-limited-client.js';
import { type Answer, request } from '../support/rest.js';

const LOGIN = '/api/v1/auth/login';
const ME = '/api/v1/users/me';

let app: TestApp;
let client: RateLimitedClient;

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: '20/1m',
      RATE_LIMIT_USER: '10/1m',
      RATE_LIMIT_UNLOCK: '3/1m',
      RATE_LIMIT_MAIL: '3/1h',
      RATE_LIMIT_REAUTHENTICATION: '4/1m',
      TRUSTED_PROXIES: '127.0.0.1/32',
      ADDRESS_BLOCK_AFTER: '0',
    },
  });
  client = new RateLimitedClient(app.url);
});

afterAll(() => app.stop());

const guess = { body: { identifier: 'nobody@example.com', password: 'wrong-horse-battery-staple' } };

describe('rate limits over HTTP', () => {
  it('let five logins a minute through, and say when to try again', async () => {
    const address = client.newAddress();
    expect(await client.statusesOf(5, () => client.from(address, 'POST', LOGIN, guess))).toEqual([
      401, 401, 401, 401, 401,
    ]);
    const refused = await client.from(address, 'POST', LOGIN, guess);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body).toMatchObject({ status: 429, code: 'rate_limited', path: LOGIN });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(63);
    expect(refused.headers.get('ratelimit-policy')).toBe('"anonymous";q=20;w=60, "auth";q=5;w=60');
    expect(refused.headers.get('ratelimit')).toMatch(/^"anonymous";r=14;t=\d+, "auth";r=0;t=\d+$/);
    expect((await client.from(client.newAddress(), 'POST', LOGIN, guess)).status).toBe(401);
  });

  it('share the login limit between login and registration, but not with refresh', async () => {
    const address = client.newAddress();
    await client.statusesOf(4, () => client.from(address, 'POST', LOGIN, guess));
    const account = { body: { email: `${randomUUID()}@example.com`, password: PASSWORD } };
    expect((await client.from(address, 'POST', '/api/v1/auth/register', account)).status).toBe(201);
    expect((await client.from(address, 'POST', '/api/v1/auth/register', account)).status).toBe(429);
    const refresh = await client.from(address, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: 'x'.repeat(43) },
    });
    expect(refresh.status).not.toBe(429);
  });

  it('take nothing from an address for the reports that a foreign page has its visitors send', async () => {
    const address = client.newAddress();
    const report = {
      body: '{}',
      headers: { 'content-type': 'application/csp-report', 'sec-fetch-site': 'cross-site' },
    };
    const statuses = await client.statusesOf(22, () => client.from(address, 'POST', '/api/v1/csp-reports', report));
    expect(statuses.slice(20)).toEqual([429, 429]);
    expect((await client.from(address, 'GET', ME)).status).toBe(401);
  });

  it.each([
    ['asks for what does not exist', '/nowhere', {}],
    ['has no token', ME, {}],
    ['brings an invalid token', ME, { token: 'nobody' }],
    ['brings an invalid token to a path that does not exist', '/nowhere', { token: 'nobody' }],
    ['brings an invalid token to a public route', '/.well-known/jwks.json', { token: 'nobody' }],
    ['brings another scheme', ME, { headers: { authorization: 'Basic bm9ib2R5' } }],
  ])('count who %s as anonymous', async (_who, path, options) => {
    const address = client.newAddress();
    const statuses = await client.statusesOf(22, () => client.from(address, 'GET', path, options));
    expect(statuses.slice(0, 20)).not.toContain(429);
    expect(statuses.slice(20)).toEqual([429, 429]);
  });

  it('count a person wherever they are, and not their neighbours', async () => {
    const [ada, bob] = [await client.newcomer(), await client.newcomer()];
    const address = client.newAddress();
    const statuses = await client.statusesOf(8, () => client.from(address, 'GET', ME, { token: ada }));
    expect(new Set(statuses)).toEqual(new Set([200]));
    const answer = await client.from(client.newAddress(), 'GET', ME, { token: ada });
    expect(answer.headers.get('ratelimit')).toMatch(/^"user";r=1;t=\d+$/);
    expect((await client.from(address, 'GET', ME, { token: ada })).status).toBe(200);
    expect((await client.from(client.newAddress(), 'GET', ME, { token: ada })).status).toBe(429);
    expect((await client.from(address, 'GET', ME, { token: bob })).status).toBe(200);
  });

  it('leave a person alone whose address has spent what it may do anonymously', async () => {
    const ada = await client.newcomer();
    const address = client.newAddress();
    await client.statusesOf(21, () => client.from(address, 'GET', '/nowhere'));
    expect((await client.from(address, 'GET', ME)).status).toBe(429);
    expect((await client.from(address, 'GET', ME, { token: ada })).status).toBe(200);
  });

  it('count one household of IPv6 addresses as one', async () => {
    let host = 0;
    const statuses = await client.statusesOf(21, () => {
      host += 1;
      return client.from(`2001:db8:1:2::${host.toString(16)}`, 'GET', '/nowhere');
    });
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect((await client.from('2001:db8:1:3::1', 'GET', '/nowhere')).status).toBe(404);
  });

  it('let a device be unlocked so often, and always be locked', async () => {
    const token = await client.newcomer();
    const register = (): Promise<Answer<{ device: { id: string } }>> =>
      request(app.url, 'POST', '/api/v1/devices', { token, body: { name: 'Front door', hardwareId: randomUUID() } });
    const send = (deviceId: string, name: string): Promise<Answer> =>
      request(app.url, 'POST', `/api/v1/devices/${deviceId}/commands`, {
        token,
        body: { name },
        headers: { 'idempotency-key': randomUUID() },
      });
    const [front, back] = [(await register()).body.device.id, (await register()).body.device.id];
    // The lock is offline: that is found out after the limit was spent.
    expect(await client.statusesOf(3, () => send(front, 'unlock_door'))).toEqual([409, 409, 409]);
    const refused = await send(front, 'unlock_door');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toBe('"user";q=10;w=60, "device";q=120;w=60, "unlock";q=3;w=60');
    expect((await send(front, 'lock_door')).status).toBe(202);
    expect((await send(back, 'unlock_door')).status).toBe(409);
  });

  it('let a person mail so many invitations, whichever organization they are for', async () => {
    const token = await client.newcomer();
    const post = (path: string, body: object): Promise<Answer> =>
      request(app.url, 'POST', `/api/v1/organizations${path}`, { token, body });
    const [first, second] = [await post('', { name: 'House' }), await post('', { name: 'Office' })];
    const invite = ({ body }: Answer, email: string): Promise<Answer> =>
      post(`/${String(body.id)}/invitations`, { email, role: 'VIEWER' });
    const victim = `${randomUUID()}@example.com`;
    expect(await client.statusesOf(2, () => invite(first, victim))).toEqual([201, 201]);
    expect((await invite(second, victim)).status).toBe(201);
    const refused = await invite(second, `${randomUUID()}@example.com`);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toBe('"user";q=10;w=60, "mail";q=3;w=3600');
  });

  it('do not block accounts that share an IP address with a client that guesses passwords', async () => {
    const token = await client.newcomer();
    const address = client.newAddress();
    await client.statusesOf(6, () => client.from(address, 'POST', LOGIN, guess));
    expect((await client.from(address, 'POST', LOGIN, guess)).status).toBe(429);
    expect((await client.from(address, 'DELETE', ME, { token, body: { password: PASSWORD } })).status).toBe(204);
  });

  it('count the mail to a new address of one’s own among those that a person causes', async () => {
    const token = await client.newcomer();
    const ask = (): Promise<Answer> =>
      request(app.url, 'POST', `${ME}/email`, {
        token,
        body: { email: `${randomUUID()}@example.com`, password: PASSWORD },
      });
    expect(await client.statusesOf(4, ask)).toEqual([202, 202, 202, 429]);
  });

  it('bound how often a person has their password verified again, on any route and from any address', async () => {
    const token = await client.newcomer();
    const leave = (): Promise<Answer> =>
      client.from(client.newAddress(), 'DELETE', ME, { token, body: { password: 'a guess' } });
    expect(await client.statusesOf(4, leave)).toEqual([422, 422, 422, 422]);
    expect((await leave()).body).toMatchObject({ status: 429, code: 'rate_limited' });
    const change = { currentPassword: PASSWORD, newPassword: 'quiet lantern meadow 12' };
    const refused = await client.from(client.newAddress(), 'POST', '/api/v1/auth/password', { token, body: change });
    expect(refused.body).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  it('never refuse a probe', async () => {
    const address = client.newAddress();
    await client.statusesOf(21, () => client.from(address, 'GET', '/nowhere'));
    expect(new Set(await client.statusesOf(30, () => client.from(address, 'GET', '/api/health/live')))).toEqual(
      new Set([200]),
    );
  });

  it('give a refusal the security headers of every other answer', async () => {
    const address = client.newAddress();
    await client.statusesOf(20, () => client.from(address, 'GET', '/nowhere'));
    const refused = await client.from(address, 'GET', '/nowhere');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    expect(refused.headers.get('x-request-id')).toBe(refused.body.requestId);
    expect(refused.headers.get('cache-control')).toBe('no-store');
  });
});

describe.each(['down', 'blackhole'] as const)('rate limits over HTTP while Redis is %s', (fault) => {
  let degraded: TestApp;
  let proxy: FaultProxy;

  beforeAll(async () => {
    proxy = await FaultProxy.inFrontOf(await emptyRedis());
    degraded = await TestApp.start({
      env: {
        ROLES: 'api',
        RATE_LIMIT_SCALE: '1',
        RATE_LIMIT_USER: '200/1m',
        ADDRESS_BLOCK_AFTER: '0',
        REDIS_URL: proxy.url,
      },
    });
  });

  afterAll(async () => {
    await degraded.stop();
    await proxy.close();
  });

  it('still hold without Redis, and no request waits for it', async () => {
    const { accessToken: token } = await createAccount(degraded.url);
    const statuses: number[] = [];
    const medianMs = async (times: number): Promise<number> => {
      const took: number[] = [];
      for (let time = 0; time < times; time += 1) {
        const asked = performance.now();
        statuses.push((await request(degraded.url, 'GET', ME, { token })).status);
        took.push(performance.now() - asked);
      }
      return took.toSorted((a, b) => a - b)[times / 2] ?? 0;
    };
    const healthyMs = await medianMs(50);
    proxy[fault]();
    // A request that waited for Redis would lose 50 ms with each limit.
    expect(await medianMs(250)).toBeLessThan(healthyMs + 40);
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
  });
});
