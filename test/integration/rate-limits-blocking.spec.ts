/** Addresses that go on although they are refused: blocked in every process, by the record of PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import { type Account, createAccount, createAdmin, insertAccount } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { exhaustPool } from '../support/busy-pool.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { startRateLimits } from '../support/rate-limits.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const QUARTER_MS = 900_000;

let app: TestApp;
let other: TestApp;
let sql: Sql;
let lastHost = 0;
let address = '';

beforeAll(async () => {
  app = await TestApp.start({
    env: { ROLES: 'api', RATE_LIMIT_SCALE: '1', RATE_LIMIT_ANONYMOUS: '20/1m', TRUSTED_PROXIES: '127.0.0.1/32' },
  });
  other = await startRateLimits(app.databaseUrl, app.redisUrl);
  sql = await Sql.open(app.databaseUrl);
});

afterAll(async () => {
  await sql.end();
  await other.stop();
  await app.stop();
});

beforeEach(() => {
  lastHost += 1;
  address = `203.0.113.${String(lastHost)}`;
});

function ask(path = '/nowhere'): Promise<Answer> {
  return request(app.url, 'GET', path, { headers: { 'x-forwarded-for': address } });
}

async function codesOf(times: number, send = (): Promise<Answer> => ask()): Promise<unknown[]> {
  const codes: unknown[] = [];
  for (let time = 0; time < times; time += 1) {
    codes.push((await send()).body.code);
  }
  return codes;
}

const inOther = (): BlockedIpStore => other.get(BlockedIpStore);

describe('an address that goes on although it is refused', () => {
  it('is blocked after ten refusals in a row, in every process, until its time is over', async () => {
    const codes = await codesOf(32);
    expect(codes).toEqual([
      ...Array.from({ length: 20 }, () => 'route_not_found'),
      ...Array.from({ length: 10 }, () => 'rate_limited'),
      ...Array.from({ length: 2 }, () => 'address_blocked'),
    ]);
    const blocked = await ask();
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(890);
    await eventually('the other process refuses it', () => inOther().remainingMs(address) > QUARTER_MS - 10_000);
    const rows = await sql.rows(
      'SELECT reason, blocked_until - blocked_at AS age FROM blocked_addresses WHERE address = $1',
      [address],
    );
    expect(rows).toEqual([{ reason: 'rate_limit:anonymous', age: expect.objectContaining({ minutes: 15 }) }]);
    expect((await ask('/api/health/live')).status).toBe(200);
  });

  it('is refused by a process that starts later, and forgotten when its time is over', async () => {
    await inOther().block(address, 'test', QUARTER_MS);
    const late = await startRateLimits(app.databaseUrl, app.redisUrl);
    try {
      const copy = late.get(BlockedIpStore);
      expect(copy.remainingMs(address)).toBeGreaterThan(QUARTER_MS - 10_000);
      await sql.rows('UPDATE blocked_addresses SET blocked_until = now() WHERE address = $1', [address]);
      await copy.refresh();
      expect(copy.remainingMs(address)).toBe(0);
    } finally {
      await late.stop();
    }
  });

  it('comes in again when an administrator lifts the block', async () => {
    await inOther().block(address, 'test', QUARTER_MS);
    await eventually('it is refused', async () => (await ask()).body.code === 'address_blocked');
    const lift = (): Promise<unknown> => other.get(Transactions).run(() => inOther().lift(address));
    expect(await lift()).toMatchObject({ ip: address, reason: 'test' });
    await eventually('it is served', async () => (await ask()).body.code !== 'address_blocked');
    expect(await lift()).toBeNull();
  });

  it('stays blocked when the change that lifted it is taken back', async () => {
    await inOther().block(address, 'test', QUARTER_MS);
    const failing = other.get(Transactions).run(async () => {
      await inOther().lift(address);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await inOther().refresh();
    expect(inOther().remainingMs(address)).toBeGreaterThan(0);
  });

  it('stays blocked for the longer time when it is blocked again', async () => {
    await inOther().block(address, 'first', QUARTER_MS);
    await inOther().block(address, 'second', 1_000);
    await inOther().refresh();
    expect(inOther().remainingMs(address)).toBeGreaterThan(QUARTER_MS - 10_000);
  });

  it('is listed page by page, as long as it is blocked', async () => {
    await sql.rows('DELETE FROM blocked_addresses');
    for (const name of ['192.0.2.1', '2001:db8::/64', '192.0.2.3']) {
      await inOther().block(name, 'test', QUARTER_MS);
    }
    await sql.rows("UPDATE blocked_addresses SET blocked_until = now() WHERE address = '192.0.2.3'");
    const first = await inOther().list({ limit: 1 });
    const second = await inOther().list({ limit: 1, cursor: first.nextCursor ?? '' });
    expect([...first.items, ...second.items].map((item) => item.ip)).toEqual(['192.0.2.1', '2001:db8::/64']);
    expect(second.nextCursor).toBeNull();
    const foreign = Buffer.from('\0').toString('base64url');
    await expect(inOther().list({ limit: 1, cursor: foreign })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('an administrator', () => {
  const PATH = '/api/v1/auth/blocked-addresses';
  const NETWORK = '2001:db8:7:7::/64';

  const lift = (who: Pick<Account, 'accessToken'>, name: string): Promise<Answer> =>
    request(app.url, 'DELETE', `${PATH}/${encodeURIComponent(name)}`, { token: who.accessToken });

  it('sees who is blocked, and lets them in, on the record', async () => {
    const [admin, ada] = [await createAdmin(app), await createAccount(app.url)];
    await sql.rows('DELETE FROM blocked_addresses');
    await inOther().block(NETWORK, 'rate_limit:auth', QUARTER_MS);
    const listed = await request(app.url, 'GET', PATH, { token: admin.accessToken });
    expect(listed.body).toEqual({
      items: [
        {
          address: NETWORK,
          reason: 'rate_limit:auth',
          blockedAt: expect.stringMatching(/Z$/),
          blockedUntil: expect.stringMatching(/Z$/),
        },
      ],
      nextCursor: null,
    });
    expect((await request(app.url, 'GET', PATH, { token: ada.accessToken })).status).toBe(403);
    expect((await lift(ada, NETWORK)).status).toBe(403);
    expect((await lift(admin, NETWORK)).status).toBe(204);
    for (const name of [NETWORK, 'nonsense', '192.0.2.7/64', '\0']) {
      const again = await lift(admin, name);
      expect([again.status, again.body.code]).toEqual([404, 'address_not_blocked']);
    }
    const entries = await sql.rows(
      "SELECT actor, entity_id, outcome, before->>'reason' AS reason FROM audit_entries WHERE action = 'address_unblocked' AND outcome = 'success'",
    );
    expect(entries).toEqual([
      { actor: `user:${admin.id}`, entity_id: NETWORK, outcome: 'success', reason: 'rate_limit:auth' },
    ]);
  });

  it.each([
    ['2001:db8:7:8::5', '2001:db8:7:8::/64'],
    ['2001:DB8:7:8:0:0:0:5/64', '2001:db8:7:8::/64'],
    ['[2001:db8:7:8::5]:443', '2001:db8:7:8::/64'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:443', '192.0.2.7'],
  ])('lifts the block that %s is under, as the audit trail or a log spells it', async (name, ip) => {
    const admin = await insertAccount(app, { role: 'ADMIN' });
    await inOther().block(ip, 'test', QUARTER_MS);
    const here = app.get(BlockedIpStore);
    await eventually('it is blocked here, too', () => here.remainingMs(ip) > 0);
    expect((await lift(admin, name)).status).toBe(204);
    await eventually('every process lets it in', () => here.remainingMs(ip) + inOther().remainingMs(ip) === 0);
    const entries = await sql.rows('SELECT entity_id FROM audit_entries WHERE actor = $1', [`user:${admin.id}`]);
    expect(entries).toContainEqual({ entity_id: ip });
  });
});

describe('while there is too much to do', () => {
  it('what comes with a forged token is counted although it is refused, and what a person sends is not', async () => {
    const ada = await insertAccount(app);
    const askWith = (token: string): Promise<Answer> =>
      request(app.url, 'GET', '/api/v1/devices', { token, headers: { 'x-forwarded-for': address } });
    const giveBack = await exhaustPool(app, 1_500);
    try {
      expect(new Set(await codesOf(40, () => askWith(ada.accessToken)))).toEqual(new Set(['busy']));
      expect(await codesOf(31, () => askWith('forged'))).toEqual([
        ...Array.from({ length: 20 }, () => 'busy'),
        ...Array.from({ length: 10 }, () => 'rate_limited'),
        'address_blocked',
      ]);
    } finally {
      await giveBack();
    }
    await eventually('the person is served', async () => (await askWith(ada.accessToken)).status === 200);
  });

  it('what opens, cancels, goes on with a session or takes access away does not give way, nor do the keys of orders', async () => {
    const [ada, eve] = [await insertAccount(app), await insertAccount(app)];
    const as = (
      { accessToken: token }: Pick<Account, 'accessToken'>,
      method: string,
      path: string,
      body?: unknown,
    ): Promise<Answer> =>
      request(app.url, method, `/api/v1/${path}`, { token, ...(body === undefined ? {} : { body }) });
    const statuses = async (asked: Promise<Answer>[]): Promise<number[]> =>
      (await Promise.all(asked)).map(({ status }) => status);
    const keys = (): Promise<number[]> =>
      statuses(['jwks', 'order-keys'].map((name) => request(app.url, 'GET', `/.well-known/${name}.json`)));
    const nothing = randomUUID();
    expect(await keys()).toEqual([200, 200]);
    const giveBack = await exhaustPool(app, 3_000);
    const vital = [
      as(ada, 'POST', 'auth/refresh', { refreshToken: 'forged' }),
      as(ada, 'DELETE', `devices/${nothing}/commands/${nothing}`),
      as(ada, 'DELETE', `devices/${nothing}`),
      as(ada, 'DELETE', `auth/sessions/${nothing}`),
      as(ada, 'DELETE', `organizations/${nothing}/members/${nothing}`),
      as(ada, 'POST', `users/${nothing}/block`),
      as(eve, 'POST', 'auth/logout'),
    ];
    const others = [as(ada, 'GET', 'devices'), as(ada, 'PATCH', 'users/me', { firstName: 'Ada' })];
    try {
      expect(await statuses(others)).toEqual([503, 503]);
      expect(await keys()).toEqual([200, 200]);
    } finally {
      await giveBack();
    }
    expect(await statuses(vital)).toEqual([401, 404, 404, 404, 404, 403, 204]);
  });
});

describe('while PostgreSQL is away', () => {
  it('a process keeps its copy, and refuses by itself what it cannot record', async () => {
    const proxy = await FaultProxy.inFrontOf(app.databaseUrl);
    const node = await startRateLimits(proxy.url, app.redisUrl);
    try {
      const copy = node.get(BlockedIpStore);
      await copy.block(address, 'before', QUARTER_MS);
      proxy.down();
      await copy.block('192.0.2.99', 'during', QUARTER_MS);
      await copy.refresh();
      expect(copy.remainingMs(address)).toBeGreaterThan(0);
      expect(copy.remainingMs('192.0.2.99')).toBeGreaterThan(0);
    } finally {
      await node.stop();
      await proxy.close();
    }
  });
});
