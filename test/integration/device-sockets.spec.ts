import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DEVICE_REPORTS, type DeviceReport } from '../../src/contracts/device-sockets.js';
import { OverloadedError } from '../../src/platform/http/admission/admission-limiter.js';
import { DeviceSocketAuthenticator } from '../../src/platform/realtime/devices/device-socket-authenticator.js';
import { DeadlineExceededError } from '../../src/shared/deadline.js';
import { insertAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { CommandHarness } from '../support/command-harness.js';
import { Dashboard } from '../support/dashboard.js';
import { SocketDevice } from '../support/socket-device.js';
import { eventually } from '../support/wait.js';

/**
 * Devices on sockets: who gets in, what they say and are told, and their end. Seen to fail: the will of a replaced connection
 * without `retire`.
 */
let harness: CommandHarness;
let url: string;
const open: SocketDevice[] = [];

beforeAll(async () => {
  harness = await CommandHarness.start();
  ({ url } = harness.app);
});

afterEach(() => {
  jest.restoreAllMocks();
  open.splice(0).forEach((device) => {
    device.end();
  });
});

afterAll(() => harness.stop());

async function born(registered?: RegisteredDevice, boot?: string): Promise<SocketDevice> {
  const device = await SocketDevice.born(url, registered ?? (await harness.registerDevice()), boot);
  open.push(device);
  return device;
}

async function eventsOf(id: string): Promise<{ type: string; source: string; payload: Record<string, unknown> }[]> {
  return harness.rows('SELECT type, source, payload FROM events WHERE device_id = $1 ORDER BY xid, id', [id]);
}

const accept = (device: SocketDevice, commandId: string): Promise<unknown> =>
  device.say('command_ack', { commandId, status: 'executed', result: { lockState: 'unlocked' } });

describe('the handshake of a device', () => {
  it('refuses what is no device with a problem that tells why', async () => {
    const [device, other] = [await harness.registerDevice(), await harness.registerDevice()];
    const auth = { clientType: 'device', deviceId: device.id, token: device.token };
    const code = async (given: object, path?: string): Promise<unknown> => {
      const { code: found, errors } = await SocketDevice.refusal(url, given, path);
      return errors ? [found, ...errors.map(({ pointer }) => pointer).sort()] : found;
    };
    expect(await code({})).toEqual(['invalid_request', '/clientType', '/deviceId', '/token']);
    expect(await code({ ...auth, deviceId: 'x' })).toEqual(['invalid_request', '/deviceId']);
    expect(await code({ ...auth, token: '\0'.repeat(5_000) })).toEqual(['invalid_request', '/token']);
    expect(await code({ ...auth, token: 'wrong' })).toBe('device_token_refused');
    expect(await code({ ...auth, token: other.token })).toBe('device_token_refused');
    expect(await code({ ...auth, deviceId: randomUUID() })).toBe('device_token_refused');
    const { status, detail } = await SocketDevice.refusal(url, { ...auth, token: harness.owner.accessToken });
    expect([status, detail]).toEqual([401, expect.stringContaining('access token of a person')]);
    const dashboard = { clientType: 'dashboard', token: harness.owner.accessToken };
    expect(await code(dashboard)).toEqual(['wrong_client_type', '/clientType']);
    // And a device among dashboards.
    expect(await code(auth, '/socket.io/')).toEqual(['wrong_client_type', '/clientType']);
    expect(await code({ ...dashboard, token: device.token }, '/socket.io/')).toEqual(['invalid_request', '/token']);
  });

  it('takes the id in any spelling, and lets a dashboard say nothing of a device', async () => {
    const registered = await harness.registerDevice();
    const device = await born({ ...registered, id: registered.id.toUpperCase() });
    expect(await harness.presenceOf(registered.id)).toEqual({ status: 'online', links: ['websocket'] });
    device.end();
    const dashboard = await Dashboard.connect(url, { clientType: 'dashboard', token: harness.owner.accessToken });
    for (const report of Object.keys(DEVICE_REPORTS)) {
      const socket = dashboard.socket as unknown as { emitWithAck(name: string, body: object): Promise<unknown> };
      expect(await socket.emitWithAck(report, { boot: device.boot, seq: 1, uptimeMs: 1 })).toMatchObject({
        error: { code: 'unknown_event' },
      });
    }
    dashboard.socket.disconnect();
  });

  it('is refused while there is no answer or no room, and each device is told another moment to come back', async () => {
    const { id, token } = await harness.registerDevice();
    const spy = jest.spyOn(harness.app.get(DeviceSocketAuthenticator), 'authenticate');
    for (const error of [new DeadlineExceededError(1), new OverloadedError()]) {
      spy.mockRejectedValue(error);
      const told = await Promise.all(
        Array.from({ length: 6 }, () => SocketDevice.refusal(url, { clientType: 'device', deviceId: id, token })),
      );
      const moments = told.map(({ retryAfter }) => retryAfter ?? NaN);
      expect(new Set(told.map(({ status }) => status))).toEqual(new Set([503]));
      expect(moments.filter((moment) => moment >= 1 && moment <= 5)).toHaveLength(told.length);
      expect(new Set(moments).size).toBeGreaterThan(told.length / 2);
    }
  });
});

describe('what a device says on a socket', () => {
  it('is what it says over MQTT, acknowledged, with a receipt for each event', async () => {
    const device = await born();
    const { boot, id } = device;
    expect(await harness.presenceOf(id)).toEqual({ status: 'online', links: ['websocket'] });
    const data: [DeviceReport, string, object][] = [
      ['door_status_changed', 'door_status_changed', { lockState: 'unlocked', doorState: 'open' }],
      ['motion_detected', 'motion_detected', { zone: 'hall' }],
      ['snapshot_ready', 'snapshot_captured', { reference: 'pictures/1' }],
      ['low_battery', 'low_battery', { battery: 9 }],
      ['error_occurred', 'error_occurred', { errorCode: 'E7' }],
      ['settings_updated', 'settings_updated', { version: 0, settings: { custom: { led: true } } }],
      ['custom', 'custom', { anything: [1] }],
    ];
    for (const [index, [report, , payload]] of data.entries()) {
      const seq = index + 1;
      const answer = await device.say(report, { seq, boot, uptimeMs: 60_000 + seq, data: payload });
      expect(answer).toEqual({ ok: true, receipt: { boot, seq } });
    }
    // Again: the first answer may have been lost.
    const again = await device.say('motion_detected', { seq: 2, boot, data: {} });
    expect(again).toEqual({ ok: true, receipt: { boot, seq: data.length } });
    const stored = (await eventsOf(id)).filter(({ type }) => data.some(([, name]) => name === type));
    expect(stored.map(({ type, source, payload }) => [type, source, payload])).toEqual(
      data.map(([, type, payload]) => [type, 'websocket', payload]),
    );
    expect(await device.say('device_heartbeat', { boot, uptimeMs: 70_000, battery: 8, rssi: -60 })).toEqual({
      ok: true,
    });
    await eventually('the heartbeat', async () => {
      const [row] = await harness.rows<{ battery: number }>('SELECT battery FROM devices WHERE id = $1', [id]);
      return row?.battery === 8;
    });
    const [connected] = (await eventsOf(id)).filter(({ type }) => type === 'device_connected');
    expect(connected).toMatchObject({ source: 'websocket', payload: { link: 'websocket', boot } });
  });

  it('is refused with what is wrong with it, and breaks nothing', async () => {
    const device = await born();
    const { boot } = device;
    const unknown = { code: 'unknown_event', detail: expect.stringContaining('door_status_changed') };
    expect(await device.say('doorStatusChanged', {})).toMatchObject({ error: unknown });
    expect(await device.say('custom', { seq: 'x', boot, data: {} })).toMatchObject({
      error: { code: 'invalid_request', errors: [{ pointer: '/seq' }] },
    });
    expect(await device.say('door_status_changed', { seq: 1, boot, data: { commandId: 'x' } })).toMatchObject({
      error: { code: 'invalid_event_data', errors: [{ pointer: '/data/commandId' }] },
    });
    expect(await device.say('custom', { seq: 2, boot, data: {} })).toMatchObject({
      error: { code: 'event_not_stored' },
    });
    const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown;
    for (const body of [null, 7, 'text', [], [{}], undefined, deep, { boot, seq: 1, data: deep }]) {
      expect(await device.say('custom', body)).toMatchObject({ error: { code: 'invalid_request' } });
      expect(await device.say('command_ack', body)).toMatchObject({ error: { code: 'invalid_request' } });
    }
    const polluted = JSON.parse(`{"seq":1,"boot":"${boot}","data":{"__proto__":{"x":1}}}`) as object;
    expect(await device.say('custom', polluted)).toMatchObject({ error: { code: 'invalid_request' } });
    // Text that PostgreSQL does not take has another character in its place, as over MQTT.
    expect(await device.say('custom', { seq: 1, boot, data: { text: 'a\0\ud800' } })).toMatchObject({ ok: true });
    device.tell('command_ack', { commandId: 'x' });
    await eventually('the refusal of what waits for no answer', () => device.problems.length > 0);
    expect(device.problems[0]).toMatchObject({ code: 'invalid_request', request: 'command_ack' });
    await eventually('the refusals among the diagnostics', async () => {
      const { body } = await harness.request('GET', `/api/v1/devices/${device.id}/diagnostics`);
      const codes = (body.refusals as { code: string }[]).map(({ code }) => code);
      return ['unknown_event', 'invalid_request', 'event_not_stored'].every((code) => codes.includes(code));
    });
  });

  it.each<[string, (device: SocketDevice) => void]>([
    [
      'that is too long',
      (device) => {
        device.tell('custom', { text: 'x'.repeat(70_000) });
      },
    ],
    [
      'that is binary',
      (device) => {
        device.tell('custom', { bytes: Buffer.from('x') });
      },
    ],
    [
      'that Socket.IO cannot read',
      (device) => {
        rawOf(device).send('42[');
      },
    ],
    [
      'that Engine.IO cannot read',
      (device) => {
        rawOf(device).send('9');
      },
    ],
  ])('ends its connection with a frame %s, and no other one', async (_what, send) => {
    const [device, neighbour] = [await born(), await born()];
    send(device);
    await device.closed();
    expect(await neighbour.say('device_heartbeat', { boot: neighbour.boot, uptimeMs: 61_000 })).toEqual({ ok: true });
    await eventually('the device is offline', async () => (await harness.presenceOf(device.id)).status === 'offline');
  });
});

describe('orders over a socket', () => {
  it('arrive signed, under the name of the command, and are answered by acks', async () => {
    const device = await born();
    const answer = harness.send(device.id, 'unlock_door', { payload: { durationMs: 2_000 }, waitSeconds: 10 });
    const order = await device.waitForOrder();
    const [first] = device.received;
    expect(first?.name).toBe('unlock_door');
    expect(await harness.hasValidSignature(first!.signed)).toBe(true);
    expect(order).toMatchObject({ deviceId: device.id, boot: device.boot, payload: { durationMs: 2_000 } });
    await device.say('command_ack', { commandId: order.commandId, status: 'received' });
    expect(await accept(device, order.commandId)).toEqual({ ok: true });
    expect((await answer).body).toMatchObject({ state: 'EXECUTED' });
    const acked = (await eventsOf(device.id)).filter(({ type }) => /^command_(received|executed)$/.test(type));
    expect(acked.map(({ source }) => source)).toEqual(['websocket', 'websocket']);
  });

  it('go to the device alone: not to another one, nor to another tenant', async () => {
    const stranger = await registerDevice(url, await insertAccount(harness.app));
    const [device, neighbour, foreign] = [await born(), await born(), await born(stranger)];
    await harness.sendAccepted(device.id, 'lock_door');
    const { commandId } = await device.waitForOrder();
    expect([...neighbour.received, ...foreign.received]).toEqual([]);
    // What another device says of it changes nothing.
    await accept(foreign, commandId);
    expect((await harness.command(commandId)).state).toBe('SENT');
    await accept(device, commandId);
    await harness.waitForState(commandId, 'EXECUTED');
  });
});

describe('the end of a socket', () => {
  it('is the will of its boot', async () => {
    const device = await born();
    device.cut();
    await eventually('the device is offline', async () => (await harness.presenceOf(device.id)).status === 'offline');
    const [gone] = (await eventsOf(device.id)).filter(({ type }) => type === 'device_disconnected');
    expect(gone?.payload).toEqual({ link: 'websocket', boot: device.boot, reason: 'will' });
  });

  it('comes when the device connects again, and its link stays', async () => {
    const registered = await harness.registerDevice();
    const older = await born(registered);
    const newer = await born(registered, older.boot);
    expect(await older.closed()).toMatchObject({ code: 'device_replaced' });
    await pause(50);
    expect(await harness.presenceOf(newer.id)).toEqual({ status: 'online', links: ['websocket'] });
    expect(await harness.connectionEventsOf(newer.id)).toEqual(['device_connected']);
  });

  it.each(['deleted', 'in the database'])('P-16: comes within two seconds of a revocation: %s', async (how) => {
    const device = await born();
    const { id, boot } = device;
    let seq = 0;
    const talk = setInterval(() => {
      device.tell('custom', { seq: ++seq, boot, data: {} });
    }, 10);
    await eventually('it talks', async () => (await eventsOf(id)).some(({ type }) => type === 'custom'));
    await (how === 'deleted'
      ? harness.request('DELETE', `/api/v1/devices/${id}`)
      : harness.rows('UPDATE device_credentials SET revoked_at = clock_timestamp() WHERE device_id = $1', [id]));
    const revokedAt = performance.now();
    const [{ at }] = (await harness.rows<{ at: Date }>('SELECT clock_timestamp() AS at')) as [{ at: Date }];
    expect(await device.closed()).toMatchObject({ code: 'device_token_refused' });
    expect(performance.now() - revokedAt).toBeLessThan(2_000);
    clearInterval(talk);
    const after = await harness.rows('SELECT 1 FROM events WHERE device_id = $1 AND type = $2 AND received_at > $3', [
      ...[id, 'custom', at],
    ]);
    expect(after).toEqual([]);
  });
});

/** The WebSocket below Socket.IO. */
function rawOf(device: SocketDevice): { send(text: string): void } {
  return (device.socket.io.engine as unknown as { transport: { ws: { send(text: string): void } } }).transport.ws;
}
