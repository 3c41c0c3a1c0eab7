/**
 * Public routes of a shared address: what a foreign page posts there takes nothing from the people at it, a valid token
 * counts for its person, but for nothing where any name can be typed, and who waits for an answer is none that says nothing.
 * Seen failing on the build before: blocks by requests without a body or with `text/plain;json`, 429 for a resident with a
 * token, guesses past a block with a token of one's own, and connections that were cut while their request was under way.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import { ActivationCodesService } from '../../src/features/devices/credentials/activation-codes.service.js';
import { RealtimeService } from '../../src/features/realtime/sockets/realtime.service.js';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { documentedRoutes, GOOD_BODIES } from '../support/api-routes.js';
import { registerDevice } from '../support/devices.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { type Answer, codesOf, request, type RequestOptions } from '../support/rest.js';
import { crowd, silentConnection } from '../support/silent-connections.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const CONNECTIONS = 32;
/** Of this machine, and none of its proxies. */
const NEIGHBOUR = '127.0.0.2';
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
    env: {
      ROLES: 'api',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_USER: '30/1m',
      CONNECTIONS_PER_ADDRESS: String(CONNECTIONS),
      TRUSTED_PROXIES: '127.0.0.1/32',
    },
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

describe('A device that is activated behind a shared address', () => {
  const ACTIVATE = '/api/v1/devices/activate';
  const newCode = async (id: string): Promise<string> => {
    const token = resident.accessToken;
    const { body } = await request<{ activation: { code: string } }>(
      app.url,
      'POST',
      `/api/v1/devices/${id}/activation-code`,
      { token, headers: { 'idempotency-key': randomUUID() } },
    );
    return body.activation.code;
  };
  /** Without the requests, which have limits of their own. The last one is valid. */
  async function issued(deviceId: string, count: number): Promise<string[]> {
    const codes: string[] = [];
    while (codes.length < count) {
      codes.push((await app.get(ActivationCodesService).issue(deviceId, resident.id)).code);
    }
    return codes;
  }
  const activate = (deviceId: string, code: string): Promise<Answer> =>
    ask('POST', ACTIVATE, { body: { deviceId, code } });

  it('is, by its own code, where a neighbour guessed until the address was blocked', async () => {
    const [lock, other] = [await registerDevice(app.url, resident), await registerDevice(app.url, resident)];
    const code = await newCode(lock.id);
    await codesOf(80, () => activate(lock.id, '0000-0000-0000-0000-0000'));
    expect(blockedMs()).toBeGreaterThan(0);
    // A code of another device, and one that was made up, show nothing.
    for (const [id, wrong] of [
      [other.id, code],
      [lock.id, `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`],
    ] as const) {
      expect((await activate(id, wrong)).body.code).toBe('address_blocked');
    }
    const { status, body } = await activate(lock.id.toUpperCase(), code.toLowerCase());
    expect([status, body.deviceId]).toEqual([200, lock.id]);
  });

  it('is although its last code is used over and over', async () => {
    const lock = await registerDevice(app.url, resident);
    const [old, code] = [await newCode(lock.id), await newCode(lock.id)];
    const refusals = await codesOf(12, () => activate(lock.id, old));
    expect([refusals[0], refusals.at(-1)]).toEqual(['invalid_activation_code', 'rate_limited']);
    expect((await activate(lock.id, code)).status).toBe(200);
  });

  it('is at a blocked address by the code that is valid, and an old one passes no more than once', async () => {
    const lock = await registerDevice(app.url, resident);
    const [old = '', valid = ''] = await issued(lock.id, 2);
    expect((await activate(lock.id, old)).body.code).toBe('invalid_activation_code');
    await block();
    expect((await activate(lock.id, old)).body.code).toBe('address_blocked');
    const traces = `SELECT 1 FROM audit_entries WHERE action = 'device_activated' AND address = $1`;
    expect(await app.rows(traces, [house])).toHaveLength(1);
    expect((await activate(lock.id, valid)).status).toBe(200);
  });

  it('has no more tries by a stock of old codes than by guesses, and the valid one is good at another address', async () => {
    const lock = await registerDevice(app.url, resident);
    const codes = await issued(lock.id, 31);
    const valid = codes.pop() ?? '';
    const refusals: unknown[] = [];
    for (const code of [...codes, ...codes, ...codes]) {
      refusals.push((await activate(lock.id, code)).body.code);
    }
    // Ten codes of one device count as its own, and ten guesses at it are admitted from an address in a minute.
    const tries = refusals.filter((code) => code === 'invalid_activation_code').length;
    expect(tries).toBeGreaterThanOrEqual(20);
    expect(tries).toBeLessThan(codes.length);
    expect(blockedMs()).toBeGreaterThan(0);
    // Who has a stock of them keeps the device out at no other address, not even at a blocked one.
    house = '198.51.100.250';
    await block();
    expect((await activate(lock.id, valid)).status).toBe(200);
  });
});

describe('A connection whose client waits for an answer', () => {
  /** The next call of that method waits until the test lets it go on. */
  function held<T extends object>(target: T, method: keyof T): { called: Promise<unknown>; goOn: () => void } {
    const [called, released] = [Promise.withResolvers<true>(), Promise.withResolvers<true>()];
    const original = target[method] as (...args: unknown[]) => Promise<unknown>;
    const waiting = async (...args: unknown[]): Promise<unknown> => {
      called.resolve(true);
      await released.promise;
      return original.apply(target, args);
    };
    jest.spyOn(target as Record<PropertyKey, typeof waiting>, method).mockImplementationOnce(waiting);
    const goOn = (): void => {
      released.resolve(true);
    };
    return { called: called.promise, goOn };
  }

  const post = (type: string, length: number, body: string): string =>
    `POST ${LOGIN} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${String(length)}\r\n\r\n${body}`;
  const answerTo = (socket: Socket): Promise<string> =>
    new Promise((resolve) =>
      socket.once('data', (data) => {
        resolve(String(data));
      }),
    );

  it('stays beside any number that say nothing: a login from an unknown device', async () => {
    const login = held(app.get(LoginService), 'login');
    const waiting = await silentConnection(app.url, NEIGHBOUR);
    const body = JSON.stringify(GUESS.body);
    waiting.write(post('application/json', body.length, body));
    await crowd(app.url, NEIGHBOUR, CONNECTIONS);
    expect(waiting.closed).toBe(false);
    login.goOn();
    expect(await answerTo(waiting)).toMatch(/^HTTP\/1.1 401 /);
    // From the answer on, it is one that says nothing; so is one whose body is still to come, or comes after the answer.
    const [unfinished, refused] = [
      await silentConnection(app.url, NEIGHBOUR),
      await silentConnection(app.url, NEIGHBOUR),
    ];
    unfinished.write(post('application/json', 9, '{'));
    refused.write(post('text/plain', 9, '{'));
    expect(await answerTo(refused)).toMatch(/^HTTP\/1.1 415 /);
    refused.write('12345678');
    await crowd(app.url, NEIGHBOUR, CONNECTIONS);
    expect([waiting, unfinished, refused].map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it('stays beside any number that say nothing: a socket in its handshake', async () => {
    const authenticate = held(app.get(RealtimeService), 'authenticate');
    const dashboard = Dashboard.connect(app.url, { token: resident.accessToken, clientType: 'dashboard' });
    await authenticate.called;
    const url = `${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const others = Array.from({ length: CONNECTIONS + 10 }, () => new WebSocket(url));
    await eventually(
      'the oldest are closed',
      () => others.filter(({ readyState }) => readyState === WebSocket.CLOSED).length >= 10,
    );
    authenticate.goOn();
    (await dashboard).close();
    others.forEach((other) => {
      other.close();
    });
  });
});
