/** What is malformed costs nothing that is scarce, and gets nothing for it. Each test comes from addresses of its own. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD } from '../support/accounts.fixture.js';
import { RateLimitedClient } from '../support/rate-limited-client.js';
import { type Answer } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';

const LOGIN = '/api/v1/auth/login';
const guess = { body: { identifier: 'nobody@example.com', password: 'wrong-horse-battery-staple' } };

let app: TestApp;
let client: RateLimitedClient;

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: '20/1m',
      RATE_LIMIT_REAUTHENTICATION: '4/1m',
      TRUSTED_PROXIES: '127.0.0.1/32',
      ADDRESS_BLOCK_AFTER: '0',
    },
  });
  client = new RateLimitedClient(app.url);
});

afterAll(() => app.stop());

async function audited(): Promise<number> {
  const [row] = await app.rows<{ count: number }>('SELECT count(*)::int AS count FROM audit_entries');
  return row?.count ?? 0;
}

describe('Typos', () => {
  it('take no login for a typo, which counts as anonymous, and leaves no trace in the audit trail', async () => {
    const address = client.newAddress();
    const typos = [
      { email: 'ada@example.com', password: PASSWORD },
      { identifier: 'ada' },
      [],
      { ...guess.body, x: 1 },
    ];
    const before = await audited();
    for (const path of [LOGIN, '/api/v1/auth/register', '/api/v1/auth/reset-password']) {
      const statuses = await client.statusesOf(4, () => client.from(address, 'POST', path, { body: typos.at(-1) }));
      expect(new Set(statuses)).toEqual(new Set([400]));
    }
    expect(await audited()).toBe(before);
    expect(await client.statusesOf(5, () => client.from(address, 'POST', LOGIN, guess))).toEqual([
      401, 401, 401, 401, 401,
    ]);
    for (const body of typos.slice(0, 3)) {
      expect((await client.from(address, 'POST', LOGIN, { body })).status).toBe(400);
    }
    expect(await client.statusesOf(2, () => client.from(address, 'POST', LOGIN, { body: {} }))).toEqual([429, 429]);
  });

  it.each([
    ['a member that the framework drops', { constructor: 1 }, {}],
    ['another member that the framework drops', { prototype: 1 }, {}],
    [
      'a member that a cookie mends',
      { knownDevice: 'x' },
      { 'x-client-type': 'web', cookie: `__Host-mortise_device=${'a'.repeat(64)}` },
    ],
  ])('judge no password of what was not charged: %s', async (_what, more, headers) => {
    const address = client.newAddress();
    const email = `${randomUUID()}@example.com`;
    await client.from(client.newAddress(), 'POST', '/api/v1/auth/register', { body: { email, password: PASSWORD } });
    const body = JSON.stringify({ identifier: email, password: PASSWORD, ...more });
    const statuses = await client.statusesOf(7, () => client.from(address, 'POST', LOGIN, { body, headers }));
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(
      (await client.from(address, 'POST', LOGIN, { body: { identifier: email, password: PASSWORD } })).status,
    ).toBe(200);
  });

  it('count typos that come with a known device as anonymous, too: they are not free', async () => {
    const email = `${randomUUID()}@example.com`;
    await client.from(client.newAddress(), 'POST', '/api/v1/auth/register', { body: { email, password: PASSWORD } });
    const login = { identifier: email, password: PASSWORD };
    const { knownDevice } = (await client.from(client.newAddress(), 'POST', LOGIN, { body: login })).body;
    const address = client.newAddress();
    const typo = { body: { ...login, password: 7, knownDevice } };
    expect(new Set(await client.statusesOf(20, () => client.from(address, 'POST', LOGIN, typo)))).toEqual(
      new Set([400]),
    );
    expect(await client.statusesOf(2, () => client.from(address, 'POST', LOGIN, typo))).toEqual([429, 429]);
    expect((await client.from(address, 'POST', LOGIN, { body: { ...login, knownDevice } })).status).toBe(200);
  });

  it.each([
    ['/api/v1/auth/password', { currentPassword: PASSWORD, newPassword: PASSWORD }],
    ['/api/v1/users/me/email', { email: 'other@example.com', password: PASSWORD }],
  ])('judge no password that is given again with what was not charged: %s', async (path, good) => {
    const token = await client.newcomer();
    const ask = (body: object): Promise<Answer> =>
      client.from(client.newAddress(), 'POST', path, { token, body: JSON.stringify(body) });
    expect(await client.statusesOf(5, () => ask({ ...good, constructor: 1 }))).toEqual([400, 400, 400, 400, 400]);
    expect((await ask(good)).status).toBe(path.endsWith('email') ? 202 : 422);
  });

  it('take nothing for a typo from who gives the password again', async () => {
    const token = await client.newcomer();
    const change = (body: object): Promise<Answer> =>
      client.from(client.newAddress(), 'POST', '/api/v1/auth/password', { token, body });
    expect(await client.statusesOf(5, () => change({ password: PASSWORD }))).toEqual([400, 400, 400, 400, 400]);
    const wrong = { currentPassword: 'not this one', newPassword: 'quiet lantern meadow 12' };
    expect(await client.statusesOf(4, () => change(wrong))).toEqual([422, 422, 422, 422]);
  });
});
