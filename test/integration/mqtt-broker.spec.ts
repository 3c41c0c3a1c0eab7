import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { deviceTopic } from '../../src/contracts/mqtt.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { RejectedMessages } from '../../src/platform/mqtt/rejected-messages.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { testEnvironment } from '../support/installation.js';
import { TestApp } from '../support/test-app.js';
import { BAD_CREDENTIALS, NOT_AUTHORIZED, ScriptedDevice } from '../support/scripted-device.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

/**
 * Seen to fail on builds broken on purpose: persistent sessions allowed, client ids taken as sent, the will of a line
 * that was taken over let through.
 */

let application: TestApp;
let owner: Account;
const open: ScriptedDevice[] = [];

beforeAll(async () => {
  application = await TestApp.start();
  owner = await createAccount(application.url);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((device) => device.end()));
});

afterAll(async () => {
  await application.stop();
});

const newDevice = (): Promise<RegisteredDevice> => registerDevice(application.url, owner);

async function connect(
  ...[device, options]: [RegisteredDevice, Parameters<typeof ScriptedDevice.connect>[2]?]
): Promise<ScriptedDevice> {
  const raw = await ScriptedDevice.connect(application.mqttUrl, device, options);
  open.push(raw);
  return raw;
}

async function born(
  device: RegisteredDevice,
  boot: string,
  options?: Parameters<typeof ScriptedDevice.connect>[2],
): Promise<ScriptedDevice> {
  const raw = await ScriptedDevice.born(application.mqttUrl, device, boot, options);
  open.push(raw);
  return raw;
}

async function refusals(operation: string, code: string): Promise<number> {
  const text = await application.get(Metrics).render();
  const line = new RegExp(
    `^mortise_mqtt_operations_refused_total\\{operation="${operation}",code="${code}"\\} (\\d+)`,
    'm',
  );
  return Number(line.exec(text)?.[1] ?? 0);
}

async function statusOf(device: RegisteredDevice): Promise<unknown> {
  return (await request(application.url, 'GET', `/api/v1/devices/${device.id}`, { token: owner.accessToken })).body
    .status;
}

describe('A connection that its network ends', () => {
  it('is no fault of its device, unlike a packet that is none', async () => {
    const told: string[] = [];
    application.get(RejectedMessages).onRefusal(({ code }) => told.push(code));
    const before = await refusals('packet', 'line_lost');
    const reset = await connect(await newDevice());
    (reset.client.stream as Socket).resetAndDestroy();
    await eventually('the reset is counted', async () => (await refusals('packet', 'line_lost')) === before + 1);
    expect(told).toEqual([]);

    const faulty = await connect(await newDevice());
    faulty.client.stream.write(Buffer.from([0xf0, 0]));
    await eventually('the fault is told', () => told.includes('protocol_error'));
  });
});

describe('Logging in at the embedded broker', () => {
  it('takes the device id and its token, and nothing else', async () => {
    const [one, other] = [await newDevice(), await newDevice()];
    await expect(connect(one)).resolves.toBeInstanceOf(ScriptedDevice);
    const wrong: RegisteredDevice[] = [
      { id: one.id, token: 'wrong' },
      { id: one.id, token: '' },
      { id: one.id, token: other.token },
      { id: randomUUID(), token: one.token },
      { id: one.id.toUpperCase(), token: one.token },
      { id: 'admin', token: one.token },
      { id: '', token: '' },
      { id: 'backend', token: randomBytes(8).toString('hex') },
    ];
    for (const login of wrong) {
      await expect(connect(login)).rejects.toMatchObject({ code: BAD_CREDENTIALS });
    }
  });

  it('refuses a last will on the topic of another device', async () => {
    const [one, other] = [await newDevice(), await newDevice()];
    const will = (topic: string) => ({
      will: { topic, payload: Buffer.from('{"online":false}'), qos: 0 as const, retain: false },
    });
    for (const topic of [deviceTopic(other.id, 'status'), deviceTopic(one.id, 'events'), 'x']) {
      await expect(connect(one, will(topic))).rejects.toMatchObject({ code: NOT_AUTHORIZED });
    }
  });

  it('lets no device disconnect another by its client id', async () => {
    const [victim, attacker] = [await newDevice(), await newDevice()];
    const line = await born(victim, 'victim-boot');
    await connect(attacker, { clientId: victim.id });
    const flood = Array.from({ length: 8 }, () => connect({ id: victim.id, token: 'guess' }, { clientId: victim.id }));
    expect((await Promise.allSettled(flood)).every(({ status }) => status === 'rejected')).toBe(true);
    await line.publish('heartbeat', { boot: 'victim-boot', uptimeMs: 2_000 });
    expect(line.client.connected).toBe(true);
  });

  it('takes a new line of the same device over, without a word about the old one', async () => {
    const device = await newDevice();
    const old = await born(device, 'same-boot');
    await eventually('online', async () => (await statusOf(device)) === 'online');
    const next = await born(device, 'same-boot', { clientId: 'another-client-id' });
    await old.closed();
    await next.publish('events', { boot: 'same-boot', seq: 1, type: 'motion_detected', data: {} });
    await next.receipt('same-boot', 1);
    const { body } = await request<{ items: { type: string }[] }>(
      application.url,
      'GET',
      `/api/v1/devices/${device.id}/events`,
      {
        token: owner.accessToken,
      },
    );
    expect(body.items.map(({ type }) => type)).not.toContain('device_disconnected');
    expect(await statusOf(device)).toBe('online');
  });

  it('keeps at most four connections of a device', async () => {
    const device = await newDevice();
    const lines: ScriptedDevice[] = [];
    for (let index = 0; index < 5; index++) {
      lines.push(await connect(device, { clientId: `client-${String(index)}` }));
    }
    await lines[0]?.closed();
    expect(lines.slice(1).every(({ client }) => client.connected)).toBe(true);
  });
});

describe('What the embedded broker does not let through', () => {
  it('is a subscription to anything but the own downlinks', async () => {
    const [one, other] = [await newDevice(), await newDevice()];
    const line = await connect(one);
    const topics = [
      '#',
      '+/#',
      'v1/devices/+/commands',
      `v1/devices/${one.id}/#`,
      '$SYS/#',
      '$share/mortise/v1/devices/+/acks',
    ];
    topics.push(deviceTopic(other.id, 'commands'), deviceTopic(one.id, 'events'), 'v1/devices/#');
    for (const topic of topics) {
      const answer = await line.client.subscribeAsync(topic, { qos: 1 }).then(
        (granted) => granted[0]?.qos,
        () => 128,
      );
      expect([topic, answer]).toEqual([topic, 128]);
    }
    await expect(line.listen()).resolves.toBeUndefined();
  });

  it.each([
    ['a foreign topic', (other: string) => deviceTopic(other, 'status'), {}, 'foreign_topic'],
    ['a downlink of its own', (_: string, own: string) => deviceTopic(own, 'commands'), {}, 'not_an_uplink'],
    ['a topic of no device', () => 'anything', {}, 'foreign_topic'],
    ['a topic below its own', (_: string, own: string) => `${deviceTopic(own, 'status')}/x`, {}, 'foreign_topic'],
    [
      'a retained event',
      (_: string, own: string) => deviceTopic(own, 'events'),
      { retain: true },
      'retain_not_allowed',
    ],
  ])('is %s: it costs the connection', async (_name, topic, options, code) => {
    const [one, other] = [await newDevice(), await newDevice()];
    const before = await refusals('publish', code);
    const line = await connect(one);
    line.client.publish(topic(other.id, one.id), '{}', { qos: 1, ...options });
    await line.closed();
    expect(await refusals('publish', code)).toBe(before + 1);
  });

  it('is a packet above 64 KiB, which is not even collected', async () => {
    const line = await connect(await newDevice());
    const before = await refusals('packet', 'packet_too_large');
    line.client.publish(deviceTopic(line.id, 'events'), Buffer.alloc(300_000, 'x'), { qos: 1 });
    await line.closed();
    expect(await refusals('packet', 'packet_too_large')).toBe(before + 1);
  });

  it('is an order for a device that was away: no session outlives its connection', async () => {
    const device = await newDevice();
    const publisher = application.get(DevicePublisher);
    const order = { order: '{}', kid: 'k', signature: 's' };
    const first = await connect(device, { clean: false });
    await first.listen();
    expect(await publisher.publish(device.id, 'commands', order)).toBe(true);
    await eventually('the order arrives', () => first.received.length === 1);
    await first.end();

    expect(await publisher.publish(device.id, 'commands', order)).toBe(true);
    const second = await connect(device, { clean: false });
    await second.listen();
    await publisher.publish(device.id, 'receipts', { boot: 'marker-boot', seq: 1 });
    await second.receipt('marker-boot', 1);
    expect(second.received.map(({ topic }) => topic)).toEqual([deviceTopic(device.id, 'receipts')]);
  });

  it('is the end of the process, whatever bytes come in', async () => {
    const { port } = new URL(application.mqttUrl);
    const attempts = Array.from({ length: 200 }, (_, index) => {
      const bytes = randomBytes(1 + ((index * 37) % 400));
      if (index % 2 === 0) {
        bytes[0] = 0x10;
      }
      return new Promise<void>((resolve) => {
        const socket = connectTcp(Number(port), '127.0.0.1', () => socket.end(bytes));
        socket
          .on('error', () => undefined)
          .on('close', () => {
            resolve();
          });
        socket.resume();
      });
    });
    await Promise.all(attempts);
    await expect(connect(await newDevice())).resolves.toBeInstanceOf(ScriptedDevice);
  });
});

describe('A device that was deleted', () => {
  it('is cut at once, and cannot come back', async () => {
    const device = await newDevice();
    const line = await born(device, 'deleted-boot');
    await eventually('online', async () => (await statusOf(device)) === 'online');
    const started = performance.now();
    await request(application.url, 'DELETE', `/api/v1/devices/${device.id}`, { token: owner.accessToken });
    await line.closed();
    expect(performance.now() - started).toBeLessThan(2_000);
    await expect(connect(device)).rejects.toMatchObject({ code: BAD_CREDENTIALS });
  });
});

describe('A second embedded broker for the same database', () => {
  it('refuses to boot and says what is needed', async () => {
    const second = await createApp(loadConfig(await testEnvironment(application.databaseUrl, { ROLES: 'hardware' })));
    await expect(listen(second)).rejects.toThrow(/MQTT_URL/);
    await second.close();
  });
});

describe('The canary', () => {
  it('is heard from the embedded broker, and counts as no message of a device', async () => {
    await eventually('it is heard', async () => (await application.metric('mortise_mqtt_canary_seconds_count')) > 10);
    const { body } = await request<{ details: unknown }>(application.url, 'GET', '/api/health');
    expect(body.details).toMatchObject({ mqtt: { status: 'up' } });
    expect(await application.metric('mortise_mqtt_messages_total{channel="acks"}')).toBe(0);
    expect(await application.metric('mortise_mqtt_messages_refused_total{code="unknown_topic"}')).toBe(0);
  });
});
