/**
 * Public routes of a shared address: what a foreign page posts there takes nothing from the people at it, and a valid token
 * counts for its person, but for nothing where any name can be typed. Seen failing on the build before: blocks by requests
 * without a body or with `text/plain;json`, 429 for a resident with a token, and guesses past a block with a token of one's own.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { documentedRoutes, GOOD_BODIES } from '../support/api-routes.js';
import { type Answer, request, type RequestOptions } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';

const LOGIN = '/api/v1/auth/login';
const CONFIRM_UNLOCK = '/api/v1/auth/unlock/confirm';
const FOREIGN = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
const GUESS = { body: { identifier: 'nobody@example.com', password: 'wrong-horse-battery-staple' } };
const UNKNOWN_LINK = { body: { token: 'A'.repeat(43) } };

let app: TestApp;
let resident: Account;
let lastHost = 0;
let house = '';

beforeAll(async () => {
  app = await TestApp.start({
    env: { ROLES: 'api', RATE_LIMIT_SCALE: '1', RATE_LIMIT_USER: '30/1m', TRUSTED_PROXIES: '127.0.0.1/32' },
  });
  resident = await createAccount(app.url);
});

afterAll(() => app.stop());

beforeEach(() => {
  lastHost += 1;
  house = `198.51.100.${String(lastHost)}`;
});

function ask(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  return request(app.url, method, path, { ...options, headers: { ...options.headers, 'x-forwarded-for': house } });
}

async function codesOf(times: number, send: () => Promise<Answer>): Promise<unknown[]> {
  const codes: unknown[] = [];
  for (let time = 0; time < times; time += 1) {
    const { status, body } = await send();
    codes.push((body as { code?: string } | undefined)?.code ?? status);
  }
  return codes;
}

const blockedMs = (): number => app.get(BlockedIpStore).remainingMs(house);
const block = (): Promise<void> => app.get(BlockedIpStore).block(house, 'test', 60_000);

describe('A page of another site', () => {
  it.each([
    ['without a body', {}],
    ['with a form', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['with text that is called JSON', { body: '{}', headers: { 'content-type': 'text/plain;charset=json' } }],
  ])('blocks no address by posts %s, and spends no login of it, on any public route', async (_how, options) => {
    const routes = (await documentedRoutes(app.url)).filter(({ method, guarded }) => method === 'POST' && !guarded);
    expect(routes.length).toBeGreaterThan(8);
    for (const { path } of routes) {
      const headers = { ...FOREIGN, ...('headers' in options ? options.headers : {}) };
      await codesOf(16, () => ask('POST', path, { ...options, headers }));
    }
    // More than the anonymous limit: the count of foreign pages is spent, and that of the address is not.
    const [, ...rest] = await codesOf(2, () => ask('POST', LOGIN, { headers: FOREIGN }));
    expect(rest).toEqual(['rate_limited']);
    expect(blockedMs()).toBe(0);
    expect((await ask('POST', LOGIN, GUESS)).status).toBe(401);
  });
});

describe('A valid token on a public route', () => {
  const confirm = (token: string): Promise<Answer> => ask('POST', CONFIRM_UNLOCK, { ...UNKNOWN_LINK, token });

  it('is judged by the limits of its person, at an address whose logins are spent, or that is blocked', async () => {
    await codesOf(6, () => ask('POST', LOGIN, GUESS));
    expect((await confirm(resident.accessToken)).status).toBe(422);
    await block();
    expect((await confirm(resident.accessToken)).status).toBe(422);
    const keys = await ask('GET', '/.well-known/jwks.json', { token: resident.accessToken });
    expect([keys.status, keys.headers.get('ratelimit-policy')]).toEqual([200, '"user";q=30;w=60']);
    const { status, body } = await ask('POST', CONFIRM_UNLOCK, UNKNOWN_LINK);
    expect([status, body.code]).toEqual([429, 'address_blocked']);
  });

  it('has no more tries than an address has, and blocks none', async () => {
    const guest = await createAccount(app.url.replace('127.0.0.1', 'localhost'));
    const codes = await codesOf(18, () => confirm(guest.accessToken));
    expect(codes.filter((code) => code !== 'rate_limited')).toHaveLength(5);
    expect(blockedMs()).toBe(0);
  });

  it.each([
    ['login', LOGIN],
    ['register', '/api/v1/auth/register'],
    ['forgot password', '/api/v1/auth/forgot-password'],
  ])('gives no more tries, and passes no block, where any name can be typed: %s', async (_what, path) => {
    const { accessToken: token } = resident;
    const body = { ...GOOD_BODIES[`POST ${path}`]?.(), ...(path === LOGIN ? GUESS.body : {}) };
    if ('email' in body) {
      Object.assign(body, { email: `${randomUUID()}@example.com`, username: undefined });
    }
    await codesOf(5, () => ask('POST', path, { body }));
    expect((await ask('POST', path, { body, token })).body.code).toBe('rate_limited');
    await block();
    expect((await ask('POST', path, { body, token })).body.code).toBe('address_blocked');
  });
});
