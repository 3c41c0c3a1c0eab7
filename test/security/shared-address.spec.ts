/**
 * People behind one address: a house, an office, the guests in its Wi-Fi, and every page that one of them opens. What some of
 * them do binds none who shows who they are. Seen failing on the build before: `address_blocked` for a valid token, a known
 * device and a refresh token; a block by cross-site requests; OPTIONS that were not counted; silent connections that
 * were all kept.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import { type Account, createAccount, PASSWORD } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { type Answer, codesOf, request, type RequestOptions } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { crowd, silentConnection } from '../support/silent-connections.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const LOGIN = '/api/v1/auth/login';
const REFRESH = '/api/v1/auth/refresh';
const ME = '/api/v1/users/me';
const CONNECTIONS = 32;
/** Of this machine, and none of its proxies. */
const NEIGHBOUR = '127.0.0.2';
/** A token of the right form, without a signature of ours. */
const FORGED = 'eyJhbGciOiJub25lIn0.e30.AAAA';

let app: TestApp;
let resident: Account & { knownDevice: string };
let lock: RegisteredDevice;
let lastHost = 0;
/** The house, as the proxy names it. */
let house = '';

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api,hardware',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: '20/1m',
      CONNECTIONS_PER_ADDRESS: String(CONNECTIONS),
      TRUSTED_PROXIES: '127.0.0.1/32',
    },
  });
  const account = await createAccount(app.url);
  const { body } = await login(account.email, PASSWORD);
  resident = { ...account, accessToken: String(body.accessToken), knownDevice: String(body.knownDevice) };
  lock = await registerDevice(app.url, resident);
});

afterAll(() => app.stop());

beforeEach(() => {
  lastHost += 1;
  house = `198.51.100.${String(lastHost)}`;
});

function ask(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const headers = { ...options.headers, 'x-forwarded-for': `${house}:50001` };
  return request(app.url, method, path, { ...options, headers });
}

function login(identifier: string, password: string, more: Record<string, string> = {}): Promise<Answer> {
  return ask('POST', LOGIN, { body: { identifier, password, ...more } });
}

function lockDoor(): Promise<Answer> {
  return ask('POST', `/api/v1/devices/${lock.id}/commands`, {
    token: resident.accessToken,
    body: { name: 'lock_door' },
    headers: { 'idempotency-key': randomUUID() },
  });
}

/** Twice, because the first answer tells that it ended. */
async function refreshEnded(): Promise<Answer> {
  const { body } = await login(resident.email, PASSWORD, { knownDevice: resident.knownDevice });
  await ask('POST', '/api/v1/auth/logout', { token: String(body.accessToken) });
  const refresh = (): Promise<Answer> => ask('POST', REFRESH, { body: { refreshToken: body.refreshToken } });
  expect((await refresh()).body.code).toBe('address_blocked');
  return refresh();
}

const blockedMs = (): number => app.get(BlockedIpStore).remainingMs(house);
const block = (): Promise<void> => app.get(BlockedIpStore).block(house, 'test', 60_000);

async function refusalOfSocket(token: string, more: Record<string, string> = {}): Promise<unknown> {
  try {
    const headers = { ...more, 'x-forwarded-for': `${house}:50001` };
    (await Dashboard.connect(app.url, { token, clientType: 'dashboard' }, headers)).close();
    return null;
  } catch (error) {
    return (error as { data?: { code?: string } }).data?.code ?? 'no connection';
  }
}

describe('A resident of a house whose address is blocked', () => {
  it('locks the door, signs in on a known device, refreshes and connects, although a guest guessed passwords', async () => {
    const guesses = await codesOf(18, () => login('nobody@example.com', 'wrong-horse-battery-staple'));
    expect(guesses.at(-1)).toBe('address_blocked');
    expect(blockedMs()).toBeGreaterThan(0);
    expect((await lockDoor()).status).toBe(202);
    expect((await ask('GET', ME, { token: resident.accessToken })).status).toBe(200);
    const { knownDevice, email, refreshToken } = resident;
    expect((await login(email, PASSWORD, { knownDevice })).status).toBe(200);
    // With an access token that has expired, as clients attach it.
    expect((await ask('POST', REFRESH, { body: { refreshToken }, token: FORGED })).status).toBe(200);
    expect(await refusalOfSocket(resident.accessToken)).toBeNull();
    expect((await login(email, PASSWORD)).body.code).toBe('address_blocked');
  });

  it('signs in on the web by the cookie of the device', async () => {
    await block();
    const cookie = `__Host-mortise_device=${resident.knownDevice}`;
    const body = { identifier: resident.email.toUpperCase(), password: PASSWORD };
    const answer = await ask('POST', LOGIN, { body, token: FORGED, headers: { 'x-client-type': 'web', cookie } });
    expect(answer.status).toBe(200);
  });

  it('changes the password within limits of their own', async () => {
    await codesOf(6, () => login('nobody@example.com', 'wrong-horse-battery-staple'));
    const body = { currentPassword: PASSWORD, newPassword: PASSWORD };
    const answer = await ask('POST', '/api/v1/auth/password', { token: resident.accessToken, body });
    expect(answer.body.code).toBe('password_unchanged');
  });

  it.each([
    ['no token', (): Promise<Answer> => ask('GET', ME)],
    ['a forged token', (): Promise<Answer> => ask('GET', ME, { token: FORGED })],
    [
      'a forged token at a public route',
      (): Promise<Answer> => ask('GET', '/.well-known/jwks.json', { token: FORGED }),
    ],
    ['another scheme', (): Promise<Answer> => ask('GET', ME, { headers: { authorization: 'Basic bm9ib2R5' } })],
    ['a forged refresh token', (): Promise<Answer> => ask('POST', REFRESH, { body: { refreshToken: 'x'.repeat(70) } })],
    ['a refresh token of a session that ended', refreshEnded],
    ['no refresh token', (): Promise<Answer> => ask('POST', REFRESH, { body: ['refreshToken'] })],
    ['a body that is no JSON', (): Promise<Answer> => ask('POST', REFRESH, { body: '{' })],
    ['an invented device', (): Promise<Answer> => login(resident.email, PASSWORD, { knownDevice: 'A'.repeat(64) })],
    [
      'the known device of another account',
      (): Promise<Answer> => login('nobody@example.com', PASSWORD, { knownDevice: resident.knownDevice }),
    ],
  ])('is no stranger with %s', async (_what, send) => {
    await block();
    const { status, body } = await send();
    expect([status, body.code]).toEqual([429, 'address_blocked']);
  });

  it('has limits of its own, whatever address and device it signs in from, and whatever is made up beside its name', async () => {
    const { email } = await createAccount(app.url.replace('127.0.0.1', 'localhost'));
    let knownDevice = (await login(email, PASSWORD)).body.knownDevice as string;
    const statuses: unknown[] = [];
    for (let time = 0; time < 7; time += 1) {
      house = `203.0.113.${String(time)}`;
      const { status, body } = await login(email, PASSWORD, { knownDevice });
      statuses.push(status);
      // Another tag of a name, and so no genuine token either: it is answered with another one of this account.
      const madeUp = Buffer.from(knownDevice, 'base64url').fill(time, 12, 16).toString('base64url');
      knownDevice = time % 2 === 1 && status === 200 ? (body.knownDevice as string) : madeUp;
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
  });
});

describe('A page of another site that somebody in the house opens', () => {
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };

  it('blocks nobody by 110 requests, and takes nothing from those who are not signed in', async () => {
    const codes = await codesOf(110, () => ask('GET', ME, { headers: foreign }));
    expect(codes.slice(-80)).toEqual(Array.from({ length: 80 }, () => 'rate_limited'));
    expect(blockedMs()).toBe(0);
    expect((await ask('GET', '/.well-known/jwks.json')).status).toBe(200);
    expect((await lockDoor()).status).toBe(202);
  });

  it('blocks nobody by forms and sockets either', async () => {
    const form = { body: 'a=b', headers: { ...foreign, 'content-type': 'text/plain' } };
    await codesOf(35, () => ask('POST', LOGIN, form));
    const refusals: unknown[] = [];
    for (let time = 0; time < 3; time += 1) {
      refusals.push(await refusalOfSocket(FORGED, foreign));
    }
    expect(refusals).toEqual(['rate_limited', 'rate_limited', 'rate_limited']);
    expect(blockedMs()).toBe(0);
    expect(await refusalOfSocket(resident.accessToken)).toBeNull();
  });

  it('gives a client that only says so no more guesses', async () => {
    const guess = { body: { identifier: 'nobody@example.com', password: 'wrong' }, headers: foreign };
    const codes = await codesOf(16, () => ask('POST', LOGIN, guess));
    expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(5);
    expect(codes.at(-1)).toBe('address_blocked');
  });
});

describe('What is not signed in', () => {
  it('is counted when it asks by OPTIONS with a token', async () => {
    const codes = await codesOf(22, () => ask('OPTIONS', ME, { token: FORGED }));
    expect(codes.slice(-2)).toEqual(['rate_limited', 'rate_limited']);
  });

  it('keeps so many connections to the API, and closes the oldest, but none of a resident', async () => {
    const mine = await silentConnection(app.url, NEIGHBOUR);
    mine.write(`GET ${ME} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${resident.accessToken}\r\n\r\n`);
    await new Promise((resolve) => mine.once('data', resolve));
    await crowd(app.url, NEIGHBOUR, CONNECTIONS);
    expect(mine.closed).toBe(false);
    mine.destroy();
  });

  it('keeps so many connections to the broker, while a device with its token gets in', async () => {
    const device = await ScriptedDevice.connect(app.mqttUrl, lock, { localAddress: NEIGHBOUR } as object);
    await crowd(app.mqttUrl, NEIGHBOUR, CONNECTIONS);
    expect(device.client.connected).toBe(true);
    const again = await ScriptedDevice.connect(app.mqttUrl, lock, {
      clientId: 'b',
      localAddress: NEIGHBOUR,
    } as object);
    await Promise.all([device.end(), again.end()]);
  });

  it('keeps so many sockets waiting, while a resident gets in', async () => {
    const open: WebSocket[] = [];
    const url = `${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const closed = { count: 0 };
    for (let time = 0; time < CONNECTIONS + 10; time += 1) {
      const socket = new WebSocket(url);
      socket.addEventListener('close', () => (closed.count += 1));
      open.push(socket);
      await new Promise((resolve) => {
        socket.addEventListener('open', resolve);
      });
    }
    await eventually('the oldest are closed', () => closed.count === 10);
    const dashboard = await Dashboard.signedIn(app.url, resident.accessToken);
    expect(dashboard.socket.connected).toBe(true);
    dashboard.close();
    open.forEach((socket) => {
      socket.close();
    });
  });
});

describe('A device that reads nothing', () => {
  it('gets no more, and no other one waits for it', async () => {
    const other = await registerDevice(app.url, resident);
    const [deaf, reader] = [
      await ScriptedDevice.connect(app.mqttUrl, lock),
      await ScriptedDevice.connect(app.mqttUrl, other),
    ];
    await Promise.all([deaf.listen(), reader.listen()]);
    (deaf.client.stream as unknown as Socket).unpipe().pause();
    const long = { order: 'x'.repeat(60_000), kid: 'k', signature: 's' };
    const publisher = app.get(DevicePublisher);
    let slowestMs = 0;
    for (let seq = 1; seq <= 400 && deaf.client.connected; seq += 1) {
      const started = performance.now();
      const sent = publisher.publish(lock.id, 'commands', long);
      await publisher.publish(other.id, 'receipts', { boot: 'marker-boot', seq });
      slowestMs = Math.max(slowestMs, performance.now() - started);
      await sent;
    }
    expect(slowestMs).toBeLessThan(1_000);
    await reader.receipt('marker-boot', 1);
    const withheld = 'mortise_mqtt_operations_refused_total{operation="forward",code="reads_too_slowly"}';
    expect(await app.metric(withheld)).toBeGreaterThan(0);
    await Promise.all([deaf.end(), reader.end()]);
  });
});
