/**
 * The uptime of devices in the field: events that waited while the line was cut, and counters that wrap. Seen to fail:
 * with the time of the upload for the time of the event, and with deadlines on an uptime from before a wrap.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type DeviceEventMessage, deviceTopic, type UplinkChannel } from '../../../src/contracts/mqtt.js';
import { EventIngestService } from '../../../src/features/history/event-ingest.service.js';
import { PresenceService } from '../../../src/features/presence/presence.service.js';
import { DeviceLimiter } from '../../../src/platform/mqtt/limits/device-limiter.js';
import { Clock } from '../../../src/shared/clock.js';
import { CommandHarness } from '../../support/command-harness.js';
import type { ScriptedDevice } from '../../support/scripted-device.js';
import { eventually } from '../../support/wait.js';

const HOUR = 3_600_000;
/** Where a counter of 32 bits wraps, after 49.7 days. */
const WRAP = 2 ** 32;

let harness: CommandHarness;

beforeAll(async () => {
  harness = await CommandHarness.start();
}, 60_000);

afterAll(() => harness.stop());

afterEach(() => {
  jest.restoreAllMocks();
});

async function motions(
  device: ScriptedDevice,
  boot: string,
  times: readonly { uptimeMs?: number; occurredAt?: string }[],
): Promise<number[]> {
  await device.listen();
  const events = times.map((time, index) => ({
    seq: index + 1,
    boot,
    type: 'motion_detected' as const,
    data: {},
    ...time,
  }));
  await device.publish('events', events);
  await device.receipt(boot, events.length);
  return harness.motionAges(device, events.length);
}

/** What its diagnostics name. */
async function codesOf(device: ScriptedDevice): Promise<string[]> {
  const { body } = await harness.request('GET', `/api/v1/devices/${device.id}/diagnostics`);
  return (body.refusals as { code: string }[]).map(({ code }) => code);
}

const rowHas = (device: ScriptedDevice, condition: string): Promise<boolean> =>
  harness.rows(`SELECT 1 FROM devices WHERE id = $1 AND ${condition}`, [device.id]).then(({ length }) => length === 1);

const fallen = (device: ScriptedDevice): Promise<boolean> => rowHas(device, 'uptime_fell_at IS NOT NULL');

const say = (device: ScriptedDevice, channel: UplinkChannel, message: object): Promise<void> =>
  device.publishRaw(deviceTopic(device.id, channel), JSON.stringify({ boot: device.boot, ...message }));

async function birthWithoutUptime(device: ScriptedDevice): Promise<void> {
  await say(device, 'status', { online: true });
  await eventually('it is stored', () => rowHas(device, 'boot_uptime_ms IS NULL OR boot_reported_at IS NULL'));
}

describe('An event that waited in the device', () => {
  const waited = (boot: string): DeviceEventMessage[] =>
    [1, 2, 3].map((seq) => ({ seq, boot, type: 'motion_detected' as const, uptimeMs: seq * HOUR, data: {} }));
  const inHours = (ages: readonly number[]): number[] => ages.map((age) => Math.round(age / HOUR));

  it('has the time at which it happened, by the uptime', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: 5 * HOUR });
    const ages = await motions(device, device.boot, [
      { uptimeMs: 3 * HOUR },
      { uptimeMs: 4 * HOUR, occurredAt: '2026-01-01T00:00:00Z' },
      { uptimeMs: 5 * HOUR },
      { uptimeMs: 50 * HOUR },
      {},
    ]);
    const expected = [2 * HOUR, HOUR, 0, 0, 0];
    ages.forEach((age, index) => {
      expect(age).toBeGreaterThanOrEqual(expected[index]!);
      expect(age).toBeLessThan(expected[index]! + 20_000);
    });
    expect(ages.slice(3)).toEqual([0, 0]);
  });

  it('has its time although it arrives right behind the birth of its boot', async () => {
    const device = await harness.connectDevice();
    await device.listen();
    const boot = randomUUID();
    await Promise.all([
      device.birth({ boot, uptimeMs: 4 * HOUR }),
      ...waited(boot).map((event) => device.publish('events', event)),
    ]);
    await device.receipt(boot, 3);
    expect(inHours(await harness.motionAges(device, 3))).toEqual([3, 2, 1]);
  });

  it('has its time although its birth is held back, because there were many', async () => {
    const device = await harness.connectDevice();
    await device.listen();
    const pause = jest.spyOn(harness.app.get(DeviceLimiter), 'statusPauseMs').mockReturnValue(60_000);
    const boot = randomUUID();
    await device.birth({ boot, uptimeMs: 4 * HOUR });
    await device.publish('events', waited(boot));
    await device.receipt(boot, 3);
    pause.mockRestore();
    expect(await rowHas(device, `boot = '${device.boot}'`)).toBe(true);
    expect(inHours(await harness.motionAges(device, 3))).toEqual([3, 2, 1]);
  });

  it('has its time although another process records its birth later', async () => {
    const device = await harness.connectDevice();
    const boot = randomUUID();
    // It does not give up, however slow the machine is.
    const clock = harness.app.get(Clock);
    const frozen = jest.spyOn(clock, 'monotonic').mockReturnValue(clock.monotonic());
    const stored = harness.app.get(EventIngestService).ingest(device.id, waited(boot));
    await eventually('it has looked', () =>
      harness
        .rows('SELECT 1 FROM device_receipts WHERE device_id = $1 AND boot = $2', [device.id, boot])
        .then(({ length }) => length > 0),
    );
    await harness.app.get(PresenceService).openLink(device.id, 'mqtt', { boot, uptimeMs: 4 * HOUR });
    await stored;
    frozen.mockRestore();
    expect(inHours(await harness.motionAges(device, 3))).toEqual([3, 2, 1]);
  });

  it('has the time of the wall clock without an uptime, unless that is weeks off', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: 5 * HOUR });
    const clock = (offsetMs: number): { occurredAt: string } => ({
      occurredAt: new Date(Date.now() + offsetMs).toISOString(),
    });
    const [hour, ...others] = await motions(device, device.boot, [clock(-HOUR), clock(500 * HOUR), clock(-500 * HOUR)]);
    expect(Math.abs(hour! - HOUR)).toBeLessThan(20_000);
    expect(others).toEqual([0, 0]);
  });

  it('keeps its time when the device has started again meanwhile, if its boot was heard of', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: 2 * HOUR });
    await motions(device, device.boot, [{ uptimeMs: 2 * HOUR }]);
    const next = randomUUID();
    await device.publish('status', { online: true, boot: next, uptimeMs: 1_000 });
    await device.publish('events', { seq: 2, boot: device.boot, type: 'motion_detected', uptimeMs: HOUR, data: {} });
    await device.receipt(device.boot, 2);
    const [, old] = await harness.motionAges(device, 2);
    expect(Math.abs(old! - HOUR)).toBeLessThan(20_000);

    const unheard = randomUUID();
    await device.publish('events', { seq: 1, boot: unheard, type: 'motion_detected', uptimeMs: HOUR, data: {} });
    await device.receipt(unheard, 1);
    expect((await harness.motionAges(device, 3))[2]).toBe(0);
  });
});

describe('A device without an uptime that can be used', () => {
  it('is online, whatever is in its place', async () => {
    const device = await harness.connectDevice();
    for (const uptime of [{}, { uptimeMs: null }, { uptimeMs: '60' }, { uptimeMs: -1 }, { uptimeMs: 2 ** 53 }]) {
      const boot = randomUUID();
      await say(device, 'status', { online: true, boot, ...uptime });
      await eventually(`a birth with ${JSON.stringify(uptime)}`, () =>
        rowHas(device, `boot = '${boot}' AND status = 'online' AND boot_uptime_ms IS NULL`),
      );
    }
  });

  it('gets no order by an earlier one, until a report has one', async () => {
    const device = await harness.connectDevice();
    await birthWithoutUptime(device);
    const waiting = await harness.sendAccepted(device.id, 'unlock_door');
    await harness.rows(`UPDATE device_links SET last_seen_at = now() - interval '1 day' WHERE device_id = $1`, [
      device.id,
    ]);
    await say(device, 'heartbeat', { uptimeMs: 'soon', battery: 44 });
    const isSeen = `(SELECT last_seen_at > now() - interval '1 hour' FROM device_links WHERE device_id = devices.id)`;
    await eventually('it is present', () => rowHas(device, `battery = 44 AND boot_reported_at IS NULL AND ${isSeen}`));
    expect(device.orders).toEqual([]);
    await say(device, 'heartbeat', { uptimeMs: 932.93 });
    expect(await device.waitForOrder()).toMatchObject({ commandId: waiting, boot: device.boot });
    expect(device.orders[0]?.expiresAtUptimeMs).toBeLessThan(30_000);
    expect(await rowHas(device, 'boot_uptime_ms = 932 AND start_before_fall IS NULL')).toBe(true);
    await eventually('its diagnostics say so', async () => (await codesOf(device)).includes('uptime_unknown'));
  });

  it('keeps the one it had when a heartbeat without one brings it online', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: HOUR });
    await harness.rows('DELETE FROM device_links WHERE device_id = $1', [device.id]);
    await say(device, 'heartbeat', {});
    await eventually('it is back', () =>
      rowHas(device, 'EXISTS (SELECT 1 FROM device_links WHERE device_id = devices.id)'),
    );
    expect(await rowHas(device, `boot_uptime_ms = ${String(HOUR)} AND boot_reported_at IS NOT NULL`)).toBe(true);
  });
});

describe('A device whose uptime falls within one boot', () => {
  it.each<[string, (device: ScriptedDevice) => Promise<void>]>([
    ['in a heartbeat', (device) => device.publish('heartbeat', { boot: device.boot, uptimeMs: 40 })],
    ['in a birth', (device) => device.birth({ uptimeMs: 40 })],
    [
      'after a birth without one',
      async (device) => {
        await birthWithoutUptime(device);
        await device.publish('heartbeat', { boot: device.boot, uptimeMs: 40 });
      },
    ],
  ])('is not unlocked until it starts again: %s', async (_where, fall) => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: WRAP - 5_000 });
    await fall(device);
    await eventually('the fall is seen', () => fallen(device));
    const { status, body } = await harness.send(device.id, 'unlock_door');
    expect({ status, body }).toMatchObject({ status: 409, body: { code: 'device_uptime_fell' } });

    await eventually('its diagnostics say so', async () => (await codesOf(device)).includes('uptime_fell'));
    await harness.sendAccepted(device.id, 'lock_door');
    const lock = await device.waitForOrder();
    expect(lock.name).toBe('lock_door');
    expect(lock.expiresAtUptimeMs).toBeLessThan(60_000);
    await device.ack({ commandId: lock.commandId, status: 'executed' });

    await device.publish('status', { online: true, boot: randomUUID(), uptimeMs: 50 });
    await eventually('it starts again', async () => !(await fallen(device)));
    await harness.sendAccepted(device.id, 'unlock_door');
    expect(await device.waitForOrder(2)).toMatchObject({ name: 'unlock_door' });
  });

  it('gets no unlock that was accepted before, nor one again', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: HOUR });
    const sent = await harness.sendAccepted(device.id, 'unlock_door');
    await device.waitForOrder();
    await harness.waitForState(sent, 'SENT');
    const waiting = await harness.sendAccepted(device.id, 'unlock_door');
    await birthWithoutUptime(device);
    await device.birth({ uptimeMs: 40 });
    await eventually('the fall is seen', () => fallen(device));
    await device.ack({ commandId: sent, status: 'failed', errorCode: 'busy' });
    expect((await harness.waitForState(waiting, 'EXPIRED')).error_code).toBe('uptime_fell');
    expect(device.orders).toHaveLength(1);
  });

  it.each([
    ['overtaken', 86_000, 90_000],
    ['late', 55_000, 55_000],
  ])('is unlocked as ever when a report was only %s', async (_how, uptimeMs, counting) => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: 90_000 });
    await device.birth({ uptimeMs, firmwareVersion: '9.9.9' });
    await eventually('the birth is stored', () => rowHas(device, `firmware_version = '9.9.9'`));
    expect(await fallen(device)).toBe(false);
    // Never by a later start than the device may have.
    expect(await rowHas(device, `boot_uptime_ms = ${String(counting)}`)).toBe(true);
    await device.publish('heartbeat', { boot: device.boot, uptimeMs: 91_000, battery: 44 });
    await eventually('the heartbeat is stored', () => rowHas(device, 'battery = 44'));
    await harness.sendAccepted(device.id, 'unlock_door');
    expect((await device.waitForOrder()).expiresAtUptimeMs).toBeGreaterThan(90_000);
  });

  it('has its whole time for an order although its last report was late', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: HOUR });
    await device.publish('heartbeat', { boot: device.boot, uptimeMs: HOUR - 22_000, battery: 44 });
    await eventually('the heartbeat is stored', () => rowHas(device, 'battery = 44'));
    await harness.sendAccepted(device.id, 'unlock_door');
    expect((await device.waitForOrder()).expiresAtUptimeMs).toBeGreaterThan(HOUR + 10_000);
  });

  it.each<[string, (device: ScriptedDevice, uptimeMs: number) => Promise<void>]>([
    ['heartbeat', (device, uptimeMs) => device.publish('heartbeat', { boot: device.boot, uptimeMs })],
    ['birth', (device, uptimeMs) => device.birth({ uptimeMs })],
  ])('is unlocked again once a %s shows that the others were minutes late', async (_what, report) => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: HOUR });
    await device.birth({ uptimeMs: HOUR - 200_000 });
    await eventually('it seems to fall', () => fallen(device));
    await report(device, HOUR - 190_000);
    await eventually('it is stored', () => rowHas(device, `boot_uptime_ms = ${String(HOUR - 190_000)}`));
    expect(await fallen(device)).toBe(true);
    await report(device, HOUR + 1_000);
    await eventually('it did not', async () => !(await fallen(device)));
    await harness.sendAccepted(device.id, 'unlock_door');
    expect((await device.waitForOrder()).expiresAtUptimeMs).toBeGreaterThan(HOUR);
  });

  it('leaves events of that boot without a time by its start, also after the next start', async () => {
    const device = await harness.connectDevice(undefined, undefined, { uptimeMs: WRAP - 5_000 });
    await motions(device, device.boot, [{}]);
    await device.birth({ uptimeMs: 40 });
    await eventually('the fall is seen', () => fallen(device));
    await device.publish('status', { online: true, boot: randomUUID(), uptimeMs: 50 });
    await eventually('it starts again', async () => !(await fallen(device)));
    const { boot } = device;
    await device.publish('events', { seq: 2, boot, type: 'motion_detected', uptimeMs: WRAP - HOUR, data: {} });
    await device.receipt(boot, 2);
    expect((await harness.motionAges(device, 2))[1]).toBe(0);
  });
});
