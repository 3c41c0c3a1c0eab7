/**
 * What one device may leave behind: rows, lines in the log, load. Seen to fail on the build before the limits, each of them.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deviceTopic } from '../../../src/contracts/mqtt.js';
import { DeviceEventsService } from '../../../src/features/presence/events/device-events.service.js';
import { HeartbeatBuffer } from '../../../src/features/presence/heartbeat-buffer.js';
import { PresenceService } from '../../../src/features/presence/presence.service.js';
import { DeviceLimiter } from '../../../src/platform/mqtt/limits/device-limiter.js';
import { type InsertedAccount, insertAccount } from '../../support/accounts.fixture.js';
import { type RegisteredDevice, registerDevice, sendCommand } from '../../support/devices.fixture.js';
import { HostileDevice } from '../../support/hostile-device.js';
import { type Answer, request } from '../../support/rest.js';
import { ScriptedDevice } from '../../support/scripted-device.js';
import { TestApp } from '../../support/test-app.js';
import { eventually } from '../../support/wait.js';

const EVENTS_PER_DAY = 1_500;
const OWNER_EVENTS_PER_DAY = 5_000;
const MAX_DEVICES = 3;

let application: TestApp;
let hostile: HostileDevice;
let owner: InsertedAccount;
let device: RegisteredDevice;

beforeAll(async () => {
  const many = '1000000/1m';
  application = await TestApp.start({
    env: {
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: many,
      RATE_LIMIT_USER: many,
      RATE_LIMIT_DEVICE: many,
      MAX_DEVICES_PER_USER: String(MAX_DEVICES),
      DEVICE_EVENTS_PER_DAY: String(EVENTS_PER_DAY),
      OWNER_EVENTS_PER_DAY: String(OWNER_EVENTS_PER_DAY),
    },
  });
  hostile = await HostileDevice.start();
}, 60_000);

afterAll(async () => {
  await hostile.stop();
  await application.stop();
});

async function newDevice(): Promise<void> {
  owner = await insertAccount(application);
  device = await registerDevice(application.url, owner);
}

interface Told {
  cutUntil: string | null;
  refusals: { code: string; count: number; detail: string | null }[];
}

function diagnostics(token = owner.accessToken): Promise<Answer<Told>> {
  return request<Told>(application.url, 'GET', `/api/v1/devices/${device.id}/diagnostics`, { token });
}

function told(code: string): Promise<Told['refusals'][number]> {
  return eventually(`the device is told ${code}`, async () =>
    (await diagnostics()).body.refusals.find((refusal) => refusal.code === code),
  );
}

const status = async (): Promise<unknown> =>
  (await application.rows<{ status: string }>('SELECT status FROM devices WHERE id = $1', [device.id]))[0]?.status;
const state = async (commandId: string): Promise<unknown> =>
  (await application.rows<{ state: string }>('SELECT state FROM commands WHERE id = $1', [commandId]))[0]?.state;
const count = async (table: string): Promise<number> =>
  (
    await application.rows<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE device_id = $1`, [device.id])
  )[0]?.n ?? 0;

/** As if so many events had been stored today, of a device or of an owner; and tomorrow, should midnight come meanwhile. */
async function storedToday(subjectId: string, events: number): Promise<void> {
  await application.get(DeviceEventsService).flush();
  await application.rows(
    `INSERT INTO event_quotas (subject_id, day, events) SELECT $1, current_date + later, $2 FROM generate_series(0, 1) AS later
     ON CONFLICT (subject_id, day) DO UPDATE SET events = excluded.events`,
    [subjectId, events],
  );
}

const custom = (boot: string, seq: number): object => ({ boot, seq, type: 'custom', data: { seq } });

describe('A device that was offline', () => {
  it('uploads a thousand events at once, each in a message of its own, and loses none', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-a-backlog');
    for (let seq = 1; seq <= 1_000; seq++) {
      line.client.publish(deviceTopic(device.id, 'events'), JSON.stringify(custom('boot-of-a-backlog', seq)), {
        qos: 1,
      });
    }
    await line.receipt('boot-of-a-backlog', 1_000);
    const boot = 'boot-of-a-backlog';
    const link = { kind: 'mqtt', boot, connectedAt: expect.any(String), lastSeenAt: expect.any(String) };
    expect((await diagnostics()).body).toEqual({
      link,
      links: [link],
      lastBirth: { at: expect.any(String), boot, uptimeMs: 1_000, firmwareVersion: null },
      subscription: { state: 'unknown', at: null },
      lastOrder: null,
      lastAck: null,
      cutUntil: null,
      refusals: [],
    });
    await line.end();
  });
});

describe('A hostile device', () => {
  it('cannot fill the database with boots', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-the-birth');
    await Promise.all(
      Array.from({ length: 200 }, () =>
        line.publishRaw(deviceTopic(device.id, 'events'), JSON.stringify(custom(randomUUID(), 1))),
      ),
    );
    await eventually('the device is told of most of them', async () => (await told('too_many_boots')).count > 100);
    expect(await count('device_receipts')).toBeLessThanOrEqual(17);
    expect(await count('events')).toBeLessThanOrEqual(25);
    await line.end();
  });

  it('keeps what is beyond the events of a day, and is not cut for sending it again', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-a-day');
    await eventually('it is online', async () => (await status()) === 'online');
    await storedToday(device.id, EVENTS_PER_DAY - 3);
    const events = Array.from({ length: 5 }, (_, index) => custom('boot-of-a-day', index + 1));
    for (let again = 0; again < 5; again++) {
      await line.publishRaw(deviceTopic(device.id, 'events'), JSON.stringify(events));
    }
    await line.receipt('boot-of-a-day', 3);
    await told('too_many_events_today');
    expect(Math.max(...line.receipts().map(({ seq }) => seq))).toBe(3);
    const stored = await application.rows(`SELECT 1 FROM events WHERE device_id = $1 AND type = 'custom'`, [device.id]);
    expect(stored).toHaveLength(3);
    expect((await diagnostics()).body.cutUntil).toBeNull();
    // The next day it is taken.
    await application.rows('DELETE FROM event_quotas WHERE subject_id = $1', [device.id]);
    await line.publishRaw(deviceTopic(device.id, 'events'), JSON.stringify(events));
    await line.receipt('boot-of-a-day', 5);
    await line.end();
  });

  it('comes and goes without events once those of the day are used up, its own or those of its owner', async () => {
    let notices = await application.metric('mortise_device_notices_total{code="too_many_events_today"}');
    for (const [used, events] of [
      ['device', EVENTS_PER_DAY - 1],
      ['owner', OWNER_EVENTS_PER_DAY - 1],
    ] as const) {
      await newDevice();
      await storedToday(used === 'device' ? device.id : owner.id, events);
      const before = await count('events');
      const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-many-links');
      await eventually('it is online', async () => (await status()) === 'online');
      line.cut();
      await eventually('it is offline', async () => (await status()) === 'offline');
      expect(await count('events')).toBe(before);
      expect(await application.metric('mortise_device_notices_total{code="too_many_events_today"}')).toBe(
        (notices += 2),
      );
      expect((await diagnostics()).body.cutUntil).toBeNull();
    }
  });

  it('has its births and wills counted as events of the day', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-that-counts');
    await eventually('it is online', async () => (await status()) === 'online');
    line.cut();
    await eventually('it is offline', async () => (await status()) === 'offline');
    await application.get(DeviceEventsService).flush();
    const counted = await application.rows<{ events: number }>(
      'SELECT sum(events)::int AS events FROM event_quotas WHERE subject_id = ANY ($1) GROUP BY subject_id',
      [[device.id, owner.id]],
    );
    // Connected, online, disconnected, offline.
    expect(counted).toEqual([{ events: 4 }, { events: 4 }]);
  });

  it('comes back with its heartbeats no more often than with births', async () => {
    await newDevice();
    const presence = application.get(PresenceService);
    const isOnlineByHeartbeat = async (): Promise<boolean> => {
      presence.heartbeat(device.id, 'mqtt', { boot: 'boot-of-heartbeats', uptimeMs: 5 });
      await application.get(HeartbeatBuffer).flush();
      return (await status()) === 'online';
    };
    expect(await isOnlineByHeartbeat()).toBe(true);
    await presence.closeLink(device.id, 'mqtt', { boot: 'boot-of-heartbeats' }, 'will');
    expect(await isOnlineByHeartbeat()).toBe(true);
    await presence.closeLink(device.id, 'mqtt', { boot: 'boot-of-heartbeats' }, 'will');
    Array.from({ length: 25 }, () => {
      application.get(DeviceLimiter).countStatus(device.id);
    });
    expect(await isOnlineByHeartbeat()).toBe(false);
  });

  it('is cut, told why, counted, and not let in again for a while', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-a-cut');
    await eventually('it is online', async () => (await status()) === 'online');
    // Twice on one link: such a link outlives one will.
    await line.birth();
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 70_000 });
    await hostile.attack('garbage', device, application.mqttUrl);
    const cut = await eventually('it is cut', async () => (await diagnostics()).body.cutUntil);
    expect(Date.parse(cut)).toBeGreaterThan(Date.now());
    const { body } = await diagnostics();
    expect(body.refusals.map(({ code }) => code)).toEqual(expect.arrayContaining(['malformed_json', 'cut_off']));
    expect(await application.metric('mortise_mqtt_devices_cut_total{code="malformed_json"}')).toBe(1);
    await hostile.rest();
    await expect(ScriptedDevice.connect(application.mqttUrl, device)).rejects.toMatchObject({ code: 3 });
    expect(await count('device_diagnostics')).toBe(body.refusals.length);
    // Its commands wait for it: none is sent to a device that is not heard.
    await eventually('it is offline', async () => (await status()) === 'offline');
    const lock = await sendCommand(application.url, owner, device.id, { name: 'lock_door' });
    expect([lock.status, lock.body.state]).toEqual([202, 'QUEUED']);
    const unlock = await sendCommand(application.url, owner, device.id, { name: 'unlock_door' });
    expect([unlock.status, unlock.body.code]).toEqual([409, 'device_offline']);
    expect([await status(), await state(lock.body.id)]).toEqual(['offline', 'QUEUED']);
  });

  it('has one of many births recorded', async () => {
    await newDevice();
    const line = await ScriptedDevice.born(application.mqttUrl, device, 'boot-of-births');
    await Promise.all(Array.from({ length: 100 }, () => line.birth({ uptimeMs: 5 })));
    await told('too_many_statuses');
    const [row] = await application.rows<{ version: number }>('SELECT version FROM devices WHERE id = $1', [device.id]);
    expect(row?.version).toBeLessThan(30);
    await line.end();
  });

  it('is told to nobody else', async () => {
    const stranger = await insertAccount(application);
    expect((await diagnostics(stranger.accessToken)).status).toBe(404);
  });
});

describe('A person', () => {
  it('owns so many devices and no more, however many are registered at once', async () => {
    await newDevice();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        request(application.url, 'POST', '/api/v1/devices', {
          token: owner.accessToken,
          body: { name: 'One more', hardwareId: randomUUID() },
          headers: { 'idempotency-key': randomUUID() },
        }),
      ),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(answers).toHaveLength(refused.length + MAX_DEVICES - 1);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(
      refused.map(() => [409, 'too_many_devices']),
    );
  });
});
