/**
 * Clients as app developers get them, against a running application: the package in a folder of its own, and the client that
 * docs/realtime.md prints.
 * Seen to fail: with a refresh for each request that met a token that had expired, with a feed that does not refresh, with a
 * list of devices that lacks a required member, with a late refresh that is kept, with a feed that ends when a refresh fails.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import type { Namespace, Server } from 'socket.io';
import type { SocketDocument } from '../../src/apps/async-api.js';
import { EVENT_TYPES } from '../../src/contracts/events.js';
import { SOCKET_EVENTS } from '../../src/contracts/realtime.js';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import { ShuttingDownError } from '../../src/platform/realtime/socket.errors.js';
import { RealtimeGateway } from '../../src/features/realtime/sockets/realtime.gateway.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { ROOT } from '../../tools/stack/paths.js';
import { type Account, createAccount, createAdmin, signIn } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { liveOnce } from '../support/device-life.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { FOLLOWING, HICCUP, LATE, MISTAKEN, READER, RETURNING } from '../support/client-programs.js';
import { PackedClient } from '../support/packed-client.js';
import { request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { SocketDocumentReader } from '../support/socket-document.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let application: TestApp;
let client: PackedClient;
let ada: Account;
let door: RegisteredDevice;
let lock: ScriptedDevice;

beforeAll(async () => {
  [application, client] = await Promise.all([TestApp.start(), PackedClient.install()]);
  await client.compile({ reader: READER, returning: RETURNING, late: LATE, hiccup: HICCUP, following: FOLLOWING });
  ada = await createAccount(application.url);
  door = await registerDevice(application.url, ada);
  lock = await ScriptedDevice.born(application.mqttUrl, door, 'boot-of-clients');
}, 120_000);

afterAll(async () => {
  await lock.end();
  await client.remove();
  await application.stop();
});

/** The same token, a minute after its end. */
async function expired(token: string): Promise<string> {
  const { kid, alg, privateKey } = await application.get(KeyStore).signingKey('access_token');
  const seconds = Math.floor(Date.now() / 1_000);
  return new SignJWT({ ...decodeJwt(token), iat: seconds - 960, exp: seconds - 60 })
    .setProtectedHeader({ ...decodeProtectedHeader(token), kid, alg })
    .sign(privateKey);
}

/** What a client has stored whose clock does not know that its token has expired. */
async function signedInLongAgo(): Promise<Pick<Account, 'accessToken'> & { refreshToken: string }> {
  const session = await signIn(application.url, ada.email);
  const stored = { ...session, accessToken: await expired(session.accessToken), refreshAt: 9e15, expiresAt: 9e15 };
  return stored;
}

/** As a server does that stops: its clients connect again. */
function dropSockets(): void {
  sockets().sockets.forEach(({ conn }) => {
    conn.close();
  });
}

function isFollowed(deviceId: string): boolean {
  return sockets().adapter.rooms.has(`device:${deviceId}`);
}

function sockets(): Namespace {
  return (application.get(RealtimeGateway) as unknown as { server: Server }).server.of('/');
}

async function refreshesOf(account: Account): Promise<number> {
  const rows = await application.rows(`SELECT 1 FROM audit_entries WHERE action = 'session_refreshed' AND actor = $1`, [
    `user:${account.id}`,
  ]);
  return rows.length;
}

describe('The package', () => {
  it('signs in, reads, gets typed problems, and follows the feed', async () => {
    const running = client.run('reader.js', [ada.email, ada.password], { BASE_URL: application.url });
    await running.expect('that it is connected', (line) => line === 'connected');
    await lock.publish('events', {
      seq: 1,
      boot: 'boot-of-clients',
      type: 'door_status_changed',
      data: { lockState: 'unlocked' },
    });
    expect(await running.ended()).toBe(0);
    expect(JSON.parse(running.lines.at(-1) ?? '')).toEqual({
      me: ada.id,
      devices: [door.id],
      refused: 'not_found',
      feedRefused: 'not_found',
      unlocked: door.id,
      afterLogout: false,
    });
  }, 60_000);

  it('exchanges a token that has expired once, however many requests and tabs wait for it', async () => {
    const tokens = await signedInLongAgo();
    const store = join(client.directory, 'tokens.json');
    await writeFile(store, JSON.stringify({ tokens, knownDevice: null }));
    const before = await refreshesOf(ada);
    const running = client.run('returning.js', [store], { BASE_URL: application.url });
    await running.expect('that its feed is connected', (line) => line === 'connected');
    expect(await running.ended()).toBe(0);
    expect(running.lines.at(-1)).toBe(JSON.stringify({ statuses: [200, 200, 200, 200, 200], refreshes: 1 }));
    const kept = JSON.parse(await readFile(store, 'utf8')) as { tokens: { refreshToken: string } };
    expect(kept.tokens.refreshToken).not.toBe(tokens.refreshToken);
    await eventually('it is audited', async () => (await refreshesOf(ada)) === before + 1);
  }, 60_000);

  it('does not let a late answer replace or end a newer session', async () => {
    // Accounts of their own: a person has few sessions at once, and more logins end the oldest.
    const { email, password } = await createAccount(application.url);
    const running = client.run('late.js', [email, password], { BASE_URL: application.url });
    expect(await running.ended()).toBe(0);
    expect(JSON.parse(running.lines.at(-1) ?? '')).toEqual({
      refreshed: true,
      refused: true,
      oldRequest: true,
      foreignRequest: [true, 401],
      unanswered: [null, 200],
      afterLogout: false,
    });
  }, 60_000);

  it('follows the feed although a refresh fails for now', async () => {
    const sessions = JSON.stringify([await signedInLongAgo(), await signedInLongAgo(), await signedInLongAgo()]);
    const running = client.run('hiccup.js', [sessions], { BASE_URL: application.url });
    expect(await running.ended()).toBe(0);
    expect(running.lines.at(-1)).toBe(JSON.stringify(['connected', 'connected', 'connected']));
  }, 60_000);

  it('subscribes again until the device is gone, although the server refuses for now', async () => {
    const owner = await createAccount(application.url);
    const device = await registerDevice(application.url, owner);
    const running = client.run('following.js', [owner.email, owner.password, device.id], { BASE_URL: application.url });
    await running.expect('that it follows', (line) => line === 'subscribed');
    const refused = jest
      .spyOn(application.get(DeviceAccessService), 'resolve')
      .mockRejectedValueOnce(new ShuttingDownError());
    dropSockets();
    await eventually('it follows again', () => refused.mock.calls.length === 2 && isFollowed(device.id));
    await request(application.url, 'DELETE', `/api/v1/devices/${device.id}`, { token: owner.accessToken });
    dropSockets();
    expect(await running.ended()).toBe(0);
    expect(running.lines).toEqual(['subscribed', `unsubscribed ${device.id} not_found`]);
    refused.mockRestore();
  }, 60_000);

  it('does not compile where it is used against the documents', async () => {
    await expect(client.compile({ mistaken: MISTAKEN })).rejects.toThrow(
      /identifier[\s\S]*door_opened[\s\S]*lockstate[\s\S]*subscribe_devices/,
    );
  }, 60_000);
});

describe('Each message of a socket', () => {
  it('is as the AsyncAPI document says, and so is it served', async () => {
    const served = await fetch(`${application.url}/api/docs/asyncapi.json`);
    expect([served.status, served.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const source = await readFile(join(client.sources, 'asyncapi.json'), 'utf8');
    const document = new SocketDocumentReader(JSON.parse(source) as SocketDocument);
    expect(Object.keys(((await served.json()) as SocketDocument).operations)).toEqual(
      Object.keys((JSON.parse(source) as SocketDocument).operations),
    );

    const { url } = application;
    const grace = await createAccount(url, 'grace');
    const heard: [name: string, payload: unknown][] = [];
    const refusal = await Dashboard.connect(url, { token: 'x' }).catch((error: unknown) => error);
    heard.push(['connect_error', (refusal as { data: unknown }).data]);
    const dashboard = await Dashboard.signedIn(url, grace.accessToken, 'no-cursor');
    dashboard.socket.onAny((name: string, payload: unknown) => heard.push([name, payload]));
    await liveOnce(application, grace, dashboard);
    for (const body of [{ deviceId: door.id }, {}]) {
      heard.push(['acknowledgement', await dashboard.request('subscribe_device', body)]);
    }
    heard.push(['acknowledgement', await dashboard.request('unsubscribe_device', { deviceId: door.id })]);
    dashboard.socket.emit('subscribe_device', {} as never, undefined as never);
    await eventually('the problem', () => heard.some(([name]) => name === 'problem'));
    await request(url, 'POST', '/api/v1/auth/logout', { token: grace.accessToken });
    await eventually('the end', () => heard.some(([name]) => name === 'session_ended'));

    expect(heard.map(([name, payload]) => document.faultOf(name, payload)).filter(Boolean)).toEqual([]);
    const types = new Set(heard.map(([, payload]) => (payload as { type?: string }).type));
    const unheard = EVENT_TYPES.filter((type) => SOCKET_EVENTS[type] !== null && !types.has(type));
    // What takes a day, a minute, another owner, or a storm of failed logins.
    expect(unheard.sort()).toEqual(UNHEARD);
    // Seen to matter: without a member, or with one more, it is refused.
    const [name, payload] = heard.find(([event]) => event === 'door_status_changed') ?? ['', {}];
    expect(document.faultOf(name, { ...(payload as object), cursor: undefined })).toMatch(/cursor/);
    expect(document.faultOf(name, { ...(payload as object), more: 1 })).toMatch(/additional/);
  }, 60_000);
});

const UNHEARD = [
  ...['command_expired', 'command_late_result', 'command_timed_out', 'device_inactive', 'device_transferred'],
  'system_alert',
];

describe('The client of docs/realtime.md', () => {
  it('has forty lines, hears what happens, and misses nothing when its connection and its token end', async () => {
    const page = await readFile(join(ROOT, 'docs', 'realtime.md'), 'utf8');
    const [, source = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    expect(source.trim().split('\n').length).toBeLessThanOrEqual(40);
    await writeFile(join(client.directory, 'feed.mjs'), source);
    const running = client.run('feed.mjs', [ada.email, ada.password, door.id], { MORTISE_URL: application.url });
    const motion = (seq: number): Promise<void> =>
      lock.publish('events', {
        seq,
        boot: 'boot-of-clients',
        type: 'motion_detected',
        data: { zone: `zone-${String(seq)}` },
      });
    const hears = (seq: number): Promise<string> =>
      running.expect(`zone-${String(seq)}`, (line) => line.includes(`"zone":"zone-${String(seq)}"`));

    await eventually('it is connected', async () => (await application.metric('mortise_dashboard_sockets')) === 1);
    await motion(2);
    await hears(2);
    const before = await refreshesOf(ada);
    await retireTokenKey();
    dropSockets();
    await motion(3);
    await hears(3);
    await eventually(
      'it is connected again',
      async () => (await application.metric('mortise_dashboard_sockets')) === 1,
    );
    await motion(4);
    await hears(4);
    expect(running.lines.map((line) => /"zone":"(zone-\d)"/.exec(line)?.[1]).filter(Boolean)).toEqual([
      'zone-2',
      'zone-3',
      'zone-4',
    ]);
    expect(await refreshesOf(ada)).toBe(before + 1);

    const { accessToken } = await signIn(application.url, ada.email);
    await request(application.url, 'POST', '/api/v1/auth/logout-all', { token: accessToken });
    await running.expect('why it ended', (line) => line === 'session_ended {"reason":"logout_all"}');
    expect(await running.ended()).toBe(0);
  }, 60_000);
});

/** As after a leak: every access token is refused from now on, and a refresh gives one of another key. */
async function retireTokenKey(): Promise<void> {
  const admin = await createAdmin(application);
  const kid = String(decodeProtectedHeader(admin.accessToken).kid);
  const keys = (path: string, token: string, body?: object): Promise<{ status: number }> =>
    request(application.url, 'POST', `/api/v1/auth/signing-keys/${path}`, { token, body });
  expect((await keys('rotate', admin.accessToken, { purpose: 'access_token' })).status).toBe(200);
  const { accessToken } = await signIn(application.url, admin.email);
  expect((await keys(`${kid}/retire`, accessToken)).status).toBe(200);
}
