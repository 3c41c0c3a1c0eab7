import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { HeartbeatBuffer } from '../../src/features/presence/heartbeat-buffer.js';
import { DiagnosticsService } from '../../src/features/presence/diagnostics/diagnostics.service.js';
import { PresenceService } from '../../src/features/presence/presence.service.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let app: TestApp;
let owner: Account;

beforeAll(async () => {
  // No other role: this process writes what it takes.
  app = await TestApp.start({ env: { ROLES: 'api' } });
  owner = await createAccount(app.url);
}, 60_000);

afterAll(() => app.stop());

const newDevice = (): Promise<RegisteredDevice> => registerDevice(app.url, owner);

const post = <B>(
  { id, token }: { id: string; token?: string },
  what: 'heartbeat' | 'events',
  body: unknown,
): Promise<Answer<B>> =>
  request<B>(app.url, 'POST', `/api/v1/devices/${id}/${what}`, { ...(token === undefined ? {} : { token }), body });

const beat = (device: { id: string; token?: string }, body: object): Promise<Answer> => post(device, 'heartbeat', body);

const read = async ({ id }: RegisteredDevice): Promise<Record<string, unknown>> => {
  await app.get(HeartbeatBuffer).flush();
  return (await request(app.url, 'GET', `/api/v1/devices/${id}`, { token: owner.accessToken })).body;
};

const history = async ({ id }: RegisteredDevice): Promise<{ type: string; source: string }[]> =>
  (
    await request<{ items: { type: string; source: string }[] }>(app.url, 'GET', `/api/v1/devices/${id}/events`, {
      token: owner.accessToken,
    })
  ).body.items.map(({ type, source }) => ({ type, source }));

async function codesOf({ id }: RegisteredDevice): Promise<string[]> {
  await app.get(DiagnosticsService).beforeApplicationShutdown();
  const { body } = await request<{ refusals: { code: string }[] }>(
    app.url,
    'GET',
    `/api/v1/devices/${id}/diagnostics`,
    { token: owner.accessToken },
  );
  return body.refusals.map(({ code }) => code);
}

describe('A device on plain HTTP', () => {
  it('is online with one heartbeat, which may say what a birth says, and reports by further ones', async () => {
    const [device, boot] = [await newDevice(), randomUUID()];
    const first = { boot, uptimeMs: 1_000, battery: 80, firmwareVersion: '2.0', lockState: 'locked' };
    expect(await beat(device, first)).toMatchObject({ status: 200, body: { commandsWaiting: 0 } });
    expect(await read(device)).toMatchObject({
      status: 'online',
      links: ['http'],
      battery: 80,
      firmwareVersion: '2.0',
      lockState: 'locked',
    });
    // As a firmware that says too much of what is no good.
    await beat(device, { boot, uptimeMs: 2_000.5, battery: 79, rssi: 31, lockState: 'unlocked', lux: 4 });
    expect(await read(device)).toMatchObject({
      battery: 79,
      rssi: null,
      lockState: 'unlocked',
      firmwareVersion: '2.0',
    });
    await eventually('the diagnostics say so', async () => (await codesOf(device)).includes('bad_reading'));
    expect(await history(device)).toEqual(
      expect.arrayContaining([
        { type: 'device_connected', source: 'http' },
        { type: 'status_changed', source: 'http' },
      ]),
    );
  });

  it('starts again with another boot, and declares its interval with any heartbeat', async () => {
    const [device, boot, next] = [await newDevice(), randomUUID(), randomUUID()];
    await beat(device, { boot, uptimeMs: 90_000 });
    await beat(device, { boot: next, uptimeMs: 100, heartbeatIntervalMs: 3_600_000 });
    await beat(device, { boot: next, uptimeMs: 200 });
    const [link] = await app.rows(
      `SELECT l.boot, l.heartbeat_interval_ms AS ms FROM device_links l WHERE device_id = $1 AND kind = 'http'`,
      [device.id],
    );
    expect(link).toEqual({ boot: next, ms: 3_600_000 });
  });

  it('gets no orders: an unlock is refused, what may wait is counted for it and not sent', async () => {
    const [device, boot] = [await newDevice(), randomUUID()];
    await beat(device, { boot, uptimeMs: 1_000 });
    const unlock = await sendCommand(app.url, owner, device.id, { name: 'unlock_door' });
    expect(unlock.body).toMatchObject({ code: 'device_offline', detail: expect.stringContaining('HTTP alone') });
    expect(await read(device)).toMatchObject({ status: 'online', reachable: false });
    const lock = await sendCommand(app.url, owner, device.id, { name: 'lock_door' });
    expect(lock.status).toBe(202);
    expect((await beat(device, { boot, uptimeMs: 2_000 })).body).toEqual({ commandsWaiting: 1 });
    const [command] = await app.rows('SELECT state FROM commands WHERE id = $1', [lock.body.id]);
    expect(command).toEqual({ state: 'QUEUED' });
  });

  it('is offline after three heartbeats that it misses', async () => {
    const [device, boot] = [await newDevice(), randomUUID()];
    await beat(device, { boot, uptimeMs: 1_000 });
    await app.get(HeartbeatBuffer).flush();
    await app.rows(
      `UPDATE device_links SET last_seen_at = now() - interval '91 s', check_at = now() WHERE device_id = $1`,
      [device.id],
    );
    await app.get(PresenceService).closeSilentLinks(100);
    expect(await read(device)).toMatchObject({ status: 'offline', links: [] });
  });

  it('reports events, each stored once, and is told how far', async () => {
    const [device, boot] = [await newDevice(), randomUUID()];
    await beat(device, { boot, uptimeMs: 1_000 });
    const event = (seq: number): object => ({ boot, seq, type: 'door_status_changed', data: { doorState: 'open' } });
    const receipt = (seq: number): object => ({ status: 200, body: { receipts: [{ boot, seq }] } });
    expect(await post(device, 'events', { events: [event(1), event(2)] })).toMatchObject(receipt(2));
    // At the same instant, and again: the device had no answer.
    const repeats = await Promise.all([1, 2, 3].map(() => post(device, 'events', { events: [event(1), event(2)] })));
    repeats.forEach((answer) => {
      expect(answer).toMatchObject(receipt(2));
    });
    // As MQTT carries them, with a text that PostgreSQL cannot store.
    expect(await post(device, 'events', [{ ...event(3), data: { lockState: 'locked', note: 'a\0b' } }])).toMatchObject(
      receipt(3),
    );
    // Beyond a gap.
    expect(await post(device, 'events', event(5))).toMatchObject(receipt(3));
    const stored = (await history(device)).filter(({ type }) => type === 'door_status_changed');
    expect(stored).toEqual(Array(3).fill({ type: 'door_status_changed', source: 'http' }));
    expect(await read(device)).toMatchObject({ doorState: 'open', lockState: 'locked' });
  });

  it('is told what is wrong with a message, and so is its owner', async () => {
    const device = await newDevice();
    expect(await beat(device, { uptimeMs: 1 })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ pointer: '/boot' }] },
    });
    expect(await post(device, 'events', { events: [{ boot: randomUUID(), type: 'custom' }] })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/events/0/seq' }] },
    });
    const large = await post(device, 'events', { events: ['x'.repeat(70_000)] });
    expect([large.status, large.body]).toMatchObject([413, { code: 'body_too_large' }]);
    await eventually('the diagnostics have it', async () => {
      const codes = await codesOf(device);
      return codes.includes('invalid_request') && codes.includes('body_too_large');
    });
  });
});

describe('A request of a device', () => {
  it('is refused alike for whoever has no token of that device', async () => {
    const [device, other] = [await newDevice(), await newDevice()];
    const body = { boot: randomUUID(), uptimeMs: 1 };
    const unlike: { id: string; token?: string }[] = [
      { id: device.id, token: other.token },
      { id: device.id, token: owner.accessToken },
      { id: device.id, token: 'x'.repeat(43) },
      { id: randomUUID(), token: device.token },
      { id: 'front-door', token: device.token },
    ];
    const answers = await Promise.all(unlike.map((caller) => beat(caller, body)));
    const [first] = answers;
    expect(first).toMatchObject({ status: 401, body: { code: 'device_token_invalid' } });
    expect(first?.headers.get('www-authenticate')).toContain('error="invalid_token"');
    for (const answer of answers) {
      const { code, detail, title, type } = answer.body;
      expect({ status: answer.status, code, detail, title, type }).toEqual({
        status: 401,
        code: first?.body.code,
        detail: first?.body.detail,
        title: 'Unauthorized',
        type: first?.body.type,
      });
      expect(answer.headers.get('www-authenticate')).toBe(first?.headers.get('www-authenticate'));
    }
    const without = await beat({ id: device.id }, body);
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await read(device)).toMatchObject({ status: 'unknown' });
  });

  it('takes the id in any spelling', async () => {
    const device = await newDevice();
    const answer = await beat({ ...device, id: device.id.toUpperCase() }, { boot: randomUUID(), uptimeMs: 1 });
    expect(answer.status).toBe(200);
    expect(await read(device)).toMatchObject({ status: 'online' });
  });

  it('opens nothing else: its token is none of a person', async () => {
    const device = await newDevice();
    const answer = await request<{ code: string }>(app.url, 'GET', `/api/v1/devices/${device.id}`, {
      token: device.token,
    });
    expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid']);
  });

  it('is refused at once when the token is revoked', async () => {
    const [device, boot] = [await newDevice(), randomUUID()];
    expect((await beat(device, { boot, uptimeMs: 1 })).status).toBe(200);
    await app.rows('UPDATE device_credentials SET revoked_at = now() WHERE device_id = $1', [device.id]);
    expect((await beat(device, { boot, uptimeMs: 2 })).status).toBe(401);
    expect((await post(device, 'events', { boot, seq: 1, type: 'custom' })).status).toBe(401);
  });
});
