/**
 * What firmware in the field sends: readings out of range, members of the next version, texts that are too long. A
 * message that says who speaks, from which start and what about counts; what of it cannot be used is left out.
 * Seen to fail: with the strict validation that HTTP bodies have, of members and of the text in them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { deviceTopic, type UplinkChannel } from '../../../src/contracts/mqtt.js';
import { CommandHarness } from '../../support/command-harness.js';
import type { RegisteredDevice } from '../../support/devices.fixture.js';
import { ScriptedDevice } from '../../support/scripted-device.js';
import { eventually } from '../../support/wait.js';

interface EventBody {
  type: string;
  payload: Record<string, unknown>;
  occurredAt: string;
  receivedAt: string;
}
interface DeviceBody {
  status: string;
  firmwareVersion: string | null;
  lockState: string | null;
  battery: number | null;
  rssi: number | null;
}

let harness: CommandHarness;
const open: ScriptedDevice[] = [];

beforeAll(async () => {
  harness = await CommandHarness.start();
}, 60_000);

afterEach(() => Promise.all(open.splice(0).map((device) => device.end())));

afterAll(() => harness.stop());

/** A connected device that has said nothing yet. */
async function connect(registered?: RegisteredDevice, boot?: string): Promise<ScriptedDevice> {
  const device = await ScriptedDevice.connect(
    harness.app.mqttUrl,
    registered ?? (await harness.registerDevice()),
    {},
    boot,
  );
  open.push(device);
  await device.listen();
  return device;
}

/** Publishes a message as it is, with the boot of the device unless it brings one. */
function say(device: ScriptedDevice, channel: UplinkChannel, message: object | string): Promise<void> {
  const text = typeof message === 'string' ? message : JSON.stringify({ boot: device.boot, ...message });
  return device.publishRaw(deviceTopic(device.id, channel), text);
}

async function shows(device: ScriptedDevice, wanted: Partial<DeviceBody>): Promise<void> {
  await eventually(`the device shows ${JSON.stringify(wanted)}`, async () => {
    const { body } = await harness.request('GET', `/api/v1/devices/${device.id}`);
    return Object.entries(wanted).every(([member, value]) => body[member] === value);
  });
}

const dropped = (channel: UplinkChannel, field: string): Promise<number> =>
  harness.app.metric(`mortise_device_readings_dropped_total{channel="${channel}",field="${field}"}`);
const refused = (code: string): Promise<number> =>
  harness.app.metric(`mortise_mqtt_messages_refused_total{code="${code}"}`);

/** The history ends at the oldest transaction that is open in the whole cluster. */
function historyOf(device: ScriptedDevice, type: string, count = 1): Promise<EventBody[]> {
  return eventually(`${String(count)} of ${type} in the history`, async () => {
    const { body } = await harness.request('GET', `/api/v1/devices/${device.id}/events?type=${type}&order=asc`);
    const items = body.items as EventBody[];
    return items.length >= count && items;
  });
}

describe('A device that reports something out of the ordinary', () => {
  it('comes online with any name of its firmware, without one, and with members of the next version', async () => {
    const device = await connect();
    await say(device, 'status', {
      online: true,
      uptimeMs: 1_000,
      firmwareVersion: '2.4.1 beta',
      lockState: 'ajar-ish',
      doorState: null,
      temperature: 21.5,
    });
    await shows(device, { status: 'online', firmwareVersion: '2.4.1 beta', lockState: null });
    expect(await dropped('status', 'lockState')).toBe(1);

    const other = await connect();
    await say(other, 'status', { online: true, uptimeMs: 1_000, firmwareVersion: null, lockState: 'locked' });
    await shows(other, { status: 'online', firmwareVersion: null, lockState: 'locked' });
    await say(other, 'status', { online: true, uptimeMs: 2_000, firmwareVersion: 'v'.repeat(300) });
    await shows(other, { firmwareVersion: 'v'.repeat(64) });
  });

  it('stays present, with the readings that make sense', async () => {
    const device = await connect();
    await say(device, 'heartbeat', { uptimeMs: 1_000, battery: 86.6, rssi: 31, freeHeap: '12k', uptimeHours: 3 });
    await shows(device, { status: 'online', battery: 87, rssi: null });
    await say(device, 'heartbeat', { uptimeMs: 2_000, battery: null, rssi: -61.4 });
    await shows(device, { battery: 87, rssi: -61 });
    expect(await dropped('heartbeat', 'rssi')).toBe(1);
    expect(await dropped('heartbeat', 'freeHeap')).toBe(1);
  });

  it('moved the bolt, whatever else its ack says', async () => {
    const device = await harness.connectDevice();
    const id = await harness.sendAccepted(device.id, 'unlock_door');
    await device.waitForOrder();
    await say(device, 'acks', {
      commandId: id,
      status: 'executed',
      motorTemperature: 41,
      result: ['no object'],
      errorMessage: `\0\ud800${'m'.repeat(600)}`,
      errorCode: 7,
    });
    const row = await harness.waitForState(id, 'EXECUTED');
    expect(row).toMatchObject({ confirmed_by: 'ack', result: null, error_code: null });
    const { body } = await harness.request('GET', `/api/v1/devices/${device.id}/commands/${id}`);
    expect(body.errorMessage).toBe(`\ufffd\ufffd${'m'.repeat(498)}`);
    expect(await dropped('acks', 'result')).toBe(1);
  });

  it('has its events stored, without what does not belong to them', async () => {
    const device = await connect();
    await say(device, 'status', { online: true, uptimeMs: 1_000 });
    await say(device, 'events', {
      seq: 1,
      type: 'motion_detected',
      occurredAt: 'yesterday',
      priority: 'high',
      data: { confidence: 1.7, zone: 'z'.repeat(600), lux: 40 },
    });
    await device.receipt(device.boot, 1);
    const [event] = await historyOf(device, 'motion_detected');
    expect(event?.payload).toEqual({ zone: 'z'.repeat(512) });
    expect(event?.occurredAt).toBe(event?.receivedAt);
    expect(await dropped('events', 'confidence')).toBe(1);
    await say(device, 'events', { seq: 2, type: 'custom', data: { '\0': '\ud83d\ude00\ude00' } });
    await device.receipt(device.boot, 2);
    expect((await historyOf(device, 'custom')).map(({ payload }) => payload)).toEqual([
      { '\ufffd': '\u{1f600}\ufffd' },
    ]);
  });

  it('has its events stored although a reading is all that they say, or their type is unknown', async () => {
    const device = await connect();
    await say(device, 'status', { online: true, uptimeMs: 1_000 });
    const events = [
      { type: 'low_battery', data: { battery: 101 } },
      { type: 'error_occurred', data: { errorCode: 17 } },
      { type: 'lock_calibrated', data: { turns: 4 } },
      { type: 'motion_detected' },
      { type: 'custom', data: { text: 'x'.repeat(5_000) } },
      { type: 'motion_detected', data: { zone: 'porch' }, uptimeMs: 900.5 },
    ].map((event, index) => ({ seq: index + 1, boot: device.boot, ...event }));
    await say(device, 'events', JSON.stringify(events));
    await device.receipt(device.boot, events.length);
    const payloads = async (type: string, count: number): Promise<unknown[]> =>
      (await historyOf(device, type, count)).map(({ payload }) => payload);
    expect(await payloads('low_battery', 1)).toEqual([{}]);
    expect(await payloads('error_occurred', 1)).toEqual([{ errorCode: '17' }]);
    expect(await payloads('custom', 2)).toEqual([{ type: 'lock_calibrated', data: { turns: 4 } }, {}]);
    expect(await payloads('motion_detected', 2)).toEqual([{}, { zone: 'porch' }]);
    expect(await Promise.all(['battery', 'type', 'data', 'uptimeMs'].map((field) => dropped('events', field)))).toEqual(
      [1, 1, 1, 0],
    );
    await shows(device, { battery: null });
  });

  it('is understood although members have names that objects inherit, at any depth', async () => {
    const device = await harness.connectDevice();
    await device.listen();
    const odd = {
      constructor: 'ACME',
      toString: 1,
      valueOf: { constructor: 2 },
      hasOwnProperty: [{ constructor: 3 }],
      k: 4,
    };
    await say(device, 'heartbeat', { uptimeMs: 61_000, battery: 44, vendor: odd, ...odd });
    await say(device, 'events', { seq: 1, type: 'custom', data: odd, vendor: odd });
    await device.receipt(device.boot, 1);
    expect((await historyOf(device, 'custom')).map(({ payload }) => payload)).toEqual([odd]);
    const id = await harness.sendAccepted(device.id, 'unlock_door');
    await device.waitForOrder();
    await say(device, 'acks', { commandId: id, status: 'executed', result: odd, vendor: odd });
    expect((await harness.waitForState(id, 'EXECUTED')).result).toEqual(odd);
    await shows(device, { battery: 44 });
  });

  it('is refused whole without what a message is about', async () => {
    const device = await connect();
    const before = await refused('invalid_request');
    const faulty: [UplinkChannel, object][] = [
      ['status', { online: 'yes', uptimeMs: 1 }],
      ['heartbeat', { boot: 'short', uptimeMs: 1 }],
      ['events', { seq: 0, type: 'custom', data: {} }],
      ['events', { seq: 1.5, type: 'custom', data: {} }],
      ['acks', { commandId: 'x', status: 'executed' }],
      ['acks', { commandId: randomUUID(), status: 'opened' }],
    ];
    for (const [channel, message] of faulty) {
      await say(device, channel, message);
    }
    await eventually('each is counted', async () => (await refused('invalid_request')) === before + faulty.length);
    await shows(device, { status: 'unknown' });
  });
});

describe('A number that a double cannot hold', () => {
  it('refuses its event, and the same number as text is stored', async () => {
    const device = await connect();
    await say(device, 'status', { online: true, uptimeMs: 1_000 });
    const before = await refused('invalid_event_data');
    const card = '9007199254740993';
    const event = (data: string): string => `{"seq":1,"boot":"${device.boot}","type":"custom","data":${data}}`;
    for (const data of [`{"card":${card}}`, `{"cards":[{"no":-${card}}]}`, '{"card":1e400}', `{"card":${card}.0}`]) {
      await say(device, 'events', event(data));
    }
    await eventually('all are refused', async () => (await refused('invalid_event_data')) === before + 4);
    await say(device, 'events', event(`{"card":"${card}","largest":9007199254740991}`));
    await device.receipt(device.boot, 1);
    const [stored] = await historyOf(device, 'custom');
    expect(stored?.payload).toEqual({ card, largest: 9_007_199_254_740_991 });
  });

  it('is left out of an ack, which counts all the same', async () => {
    const device = await harness.connectDevice();
    const id = await harness.sendAccepted(device.id, 'unlock_door');
    await device.waitForOrder();
    await say(device, 'acks', `{"commandId":"${id}","status":"executed","result":{"serial":9007199254740993}}`);
    expect((await harness.waitForState(id, 'EXECUTED')).result).toBeNull();
  });
});

describe('A foreign topic', () => {
  it('costs its publisher the connection, and its subscriber nothing', async () => {
    const [device, other] = [await harness.connectDevice(), await harness.registerDevice()];
    await device.listen();
    const foreign = deviceTopic(other.id, 'receipts');
    // The client rejects what SUBACK refuses with 0x80.
    await expect(device.client.subscribeAsync(foreign, { qos: 1 })).rejects.toThrow();
    expect(device.client.connected).toBe(true);
    void device.publishRaw(deviceTopic(other.id, 'heartbeat'), '{}').catch(() => undefined);
    await device.closed();
    const last = deviceTopic(other.id, 'status');
    const will = { topic: last, payload: Buffer.from('{}'), qos: 1, retain: true } as const;
    await expect(
      ScriptedDevice.connect(harness.app.mqttUrl, await harness.registerDevice(), { will }),
    ).rejects.toMatchObject({ code: 5 });
  });
});
