import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { type DeviceEventMessage, deviceTopic } from '../../src/contracts/mqtt.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { CutoffRegistry } from '../../src/platform/mqtt/limits/cutoff-registry.js';
import { MqttServer } from '../../src/platform/mqtt/mqtt-server.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { freePort } from '../../tools/stack/ports.js';
import { testEnvironment } from '../support/installation.js';
import { TestApp } from '../support/test-app.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js';
import { passwordFile } from '../support/mosquitto-accounts.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const DEPLOYED = 'deploy/mosquitto';
const backend = { name: 'mortise', password: 'backend-password' };

let mosquitto: Mosquitto;
/** Between the backend and the broker; devices connect to the broker directly. */
let proxy: FaultProxy;
let application: TestApp;
let second: NestFastifyApplication;
let owner: Account;
let sql: Sql;
let devices: RegisteredDevice[];
const open: ScriptedDevice[] = [];

/** The settings as deployed, but for ports and paths. The listener for devices is the one of the test. */
async function deployedSettings(backendPort: number): Promise<string[]> {
  const lines = (await readFile(join(DEPLOYED, 'mosquitto.conf'), 'utf8')).split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#') && line !== 'listener 1883')
    .map((line) =>
      line
        .replace('listener 1884', `listener ${String(backendPort)} 127.0.0.1`)
        .replace(/\/mosquitto\/(config|data)/, '%folder%'),
    );
}

beforeAll(async () => {
  const backendPort = await freePort();
  mosquitto = await startMosquitto({
    settings: await deployedSettings(backendPort),
    files: { passwords: passwordFile([backend]), acl: await readFile(join(DEPLOYED, 'acl'), 'utf8') },
  });
  proxy = await FaultProxy.inFrontOf(`mqtt://127.0.0.1:${String(backendPort)}`);
  const env = { MQTT_URL: proxy.url, MQTT_USERNAME: backend.name, MQTT_PASSWORD: backend.password };
  application = await TestApp.start({ env });
  second = await createApp(loadConfig(await testEnvironment(application.databaseUrl, { ...env, ROLES: 'hardware' })));
  await listen(second);
  owner = await createAccount(application.url);
  sql = await Sql.open(application.databaseUrl);
  devices = await Promise.all(Array.from({ length: 4 }, () => registerDevice(application.url, owner)));
  const accounts = [backend, ...devices.map(({ id, token }) => ({ name: id, password: token }))];
  await writeFile(join(mosquitto.folder, 'passwords'), passwordFile(accounts));
  await mosquitto.restart();
  await lineUp();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((device) => device.end()));
});

afterAll(async () => {
  await sql.end();
  await second.close();
  await application.stop();
  await proxy.close();
  await mosquitto.stop();
});

const both = (): NestFastifyApplication[] => [application.nest, second];

async function lineUp(): Promise<void> {
  await eventually('both processes are back at the broker', () =>
    both().every(
      (app) => app.get(MqttServer, { strict: false }).isConnected() && app.get(DevicePublisher).isConnected(),
    ),
  );
}

async function born(device: RegisteredDevice, boot: string): Promise<ScriptedDevice> {
  const raw = await ScriptedDevice.born(mosquitto.url, device, boot);
  open.push(raw);
  return raw;
}

const device = (index: number): RegisteredDevice => devices[index]!;
const event = (boot: string, seq: number): DeviceEventMessage => ({ boot, seq, type: 'custom', data: { seq } });

async function metric(app: NestFastifyApplication, series: string): Promise<number> {
  const line = (await app.get(Metrics).render()).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}

const heardEvents = (app: NestFastifyApplication): Promise<number> =>
  metric(app, 'mortise_mqtt_messages_total{channel="events"}');
const statusOf = async ({ id }: RegisteredDevice): Promise<unknown> =>
  (await request(application.url, 'GET', `/api/v1/devices/${id}`, { token: owner.accessToken })).body.status;

/** Seen to fail without the `$share/` prefix: both processes then hear every message; and with cut devices heard. */
describe('The device line over a Mosquitto server', () => {
  it('has connections of different ids, in each process and after a restart of the broker', async () => {
    const connections = (kind: string): string[] =>
      [...mosquitto.log().matchAll(/New client connected from \S+ as (mortise-\S+)/g)]
        .map(([, id]) => id ?? '')
        .filter((id) => id.startsWith(`mortise-${kind}-`));
    const different = (kind: string): number => new Set(connections(kind)).size;
    await eventually('each process has its three', () => different('line') === 2 && different('canary') === 2);
    // After the restart a process comes back with the ids that it had, but for orders: each of these connections is a new one.
    expect(different('orders')).toBe(connections('orders').length);
    expect(different('orders')).toBeGreaterThanOrEqual(2);
    expect(mosquitto.log()).not.toMatch(/already connected, closing old connection/);
  });

  it('knows who is there', async () => {
    const boot = randomUUID();
    const line = await born(device(0), boot);
    await eventually('online', async () => (await statusOf(device(0))) === 'online');
    line.cut();
    await eventually('offline', async () => (await statusOf(device(0))) === 'offline');
  });

  it('drops what a cut device sends, and hears the acks of others', async () => {
    const [mad, other] = [await born(device(3), randomUUID()), await born(device(1), randomUUID())];
    await eventually('both are online', async () =>
      (await Promise.all([device(3), device(1)].map(statusOf))).every((status) => status === 'online'),
    );
    both().forEach((app) => {
      app.get(CutoffRegistry, { strict: false }).strike(mad.id, 'malformed_json', Number.MAX_SAFE_INTEGER);
    });
    for (let seq = 1; seq <= 2_000; seq++) {
      mad.client.publish(deviceTopic(mad.id, 'events'), JSON.stringify(event('boot-after-a-cut', seq)), { qos: 1 });
    }
    const unlock = sendCommand(application.url, owner, other.id, { name: 'unlock_door' }, { waitSeconds: 20 });
    await other.ack({ commandId: (await other.waitForOrder()).commandId, status: 'executed' });
    expect((await unlock).body.state).toBe('EXECUTED');
    await eventually('all of it is dropped', async () => {
      const dropped = both().map((app) => metric(app, 'mortise_mqtt_messages_refused_total{code="cut_off"}'));
      return (await Promise.all(dropped)).reduce((sum, count) => sum + count, 0) === 2_000;
    });
    expect(await sql.rows(`SELECT 1 FROM device_receipts WHERE boot = 'boot-after-a-cut'`)).toEqual([]);
    expect(await statusOf(device(3))).toBe('offline');
  });

  it('shares the events among both processes; each is stored once, in order, and receipted', async () => {
    const boot = randomUUID();
    const line = await born(device(1), boot);
    const before = await Promise.all(both().map(heardEvents));
    let sent = 0;
    for (let seq = 1; seq <= 100; seq += 5) {
      const burst = Array.from({ length: 5 }, (_, index) => event(boot, seq + index));
      await eventually(`a receipt for ${String(seq + 4)}`, async () => {
        sent += 2 * burst.length;
        await Promise.all([...burst, ...burst].map((one) => line.publish('events', one)));
        return line.receipts().some((receipt) => receipt.seq >= seq + 4);
      });
    }
    const rows = await sql.rows<{ seq: number }>(
      `SELECT (payload->>'seq')::int AS seq FROM events WHERE device_id = $1 AND type = 'custom' ORDER BY xid, id`,
      [device(1).id],
    );
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const shares = await eventually('each message was received by one of the two', async () => {
      const received = await Promise.all(both().map(heardEvents));
      const since = received.map((count, index) => count - (before[index] ?? 0));
      return since[0] !== undefined && since[1] !== undefined && since[0] + since[1] === sent && since;
    });
    expect(Math.min(...shares)).toBeGreaterThan(10);
  });

  it('tells of a device that has not subscribed, as the broker tells of it', async () => {
    const deaf = await ScriptedDevice.connect(mosquitto.url, device(2));
    open.push(deaf);
    await deaf.birth();
    await eventually('it is online', async () => (await statusOf(device(2))) === 'online');
    await sendCommand(application.url, owner, deaf.id, { name: 'request_snapshot' });
    const told = (): Promise<Answer<{ subscription: { state: string } }>> =>
      request(application.url, 'GET', `/api/v1/devices/${deaf.id}/diagnostics`, { token: owner.accessToken });
    await eventually('its diagnostics say so', async () => (await told()).body.subscription.state === 'not_subscribed');
  });

  it('keeps devices to their own topics', async () => {
    const [attacker, victim] = [await born(device(0), randomUUID()), await born(device(1), randomUUID())];
    await attacker.client.subscribeAsync(['#', deviceTopic(victim.id, 'commands'), 'v1/devices/+/commands'], {
      qos: 1,
    });
    await attacker.publishRaw(deviceTopic(victim.id, 'events'), JSON.stringify(event('foreign-boot', 1)));
    await attacker.publishRaw(deviceTopic(victim.id, 'commands'), '{}');
    const order = { order: '{"for":"victim"}', kid: 'k', signature: 's' };
    expect(await application.get(DevicePublisher).publish(victim.id, 'commands', order)).toBe(true);
    await eventually('the order arrives', () =>
      victim.received.some(({ topic }) => topic === deviceTopic(victim.id, 'commands')),
    );
    expect(victim.received.filter(({ topic }) => topic.endsWith('commands'))).toEqual([
      { topic: deviceTopic(victim.id, 'commands'), payload: JSON.stringify(order), retained: false },
    ]);
    await attacker.publish('events', event('marker-boot', 1));
    await attacker.receipt('marker-boot', 1);
    expect(attacker.received.filter(({ topic }) => !topic.includes(attacker.id))).toEqual([]);
    expect(await sql.rows(`SELECT 1 FROM device_receipts WHERE boot = 'foreign-boot'`)).toEqual([]);
  });

  it('refuses a wrong token, and a client id does not push another device out', async () => {
    const victim = await born(device(1), randomUUID());
    await expect(ScriptedDevice.connect(mosquitto.url, { id: victim.id, token: 'wrong' })).rejects.toThrow();
    open.push(await ScriptedDevice.connect(mosquitto.url, device(2), { clientId: victim.id }));
    await victim.publish('events', event('still-there', 1));
    await victim.receipt('still-there', 1);
    expect(victim.client.connected).toBe(true);
  });

  it.each(['down', 'blackhole'] as const)(
    'says false while the broker is away (%s), and nothing of it arrives later',
    async (fault) => {
      const publisher = application.get(DevicePublisher);
      const line = await born(device(2), randomUUID());
      const late = { order: '{"late":true}', kid: 'k', signature: 's' };
      proxy[fault]();
      expect(await publisher.publish(device(2).id, 'commands', late)).toBe(false);
      await eventually('the publisher notices', () => !publisher.isConnected());
      expect(await publisher.publish(device(2).id, 'commands', late)).toBe(false);
      proxy.up();
      await lineUp();
      await line.publish('events', event(`after-${fault}`, 1));
      await line.receipt(`after-${fault}`, 1);
      expect(line.received.filter(({ topic }) => topic.endsWith('commands'))).toEqual([]);
    },
  );

  /** P-16, as far as it goes where the operator keeps the accounts: the broker still lets it in, and its messages count for nothing. */
  it('hears nothing of a device whose tokens were revoked, though the broker still lets it in', async () => {
    const line = await born(device(2), randomUUID());
    await eventually('online', async () => (await statusOf(device(2))) === 'online');
    const path = `/api/v1/devices/${line.id}/token/revoke`;
    expect((await request(application.url, 'POST', path, { token: owner.accessToken })).status).toBe(204);
    expect(await statusOf(device(2))).toBe('offline');
    await line.birth();
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 61_000 });
    await line.publish('events', event(line.boot, 9_001));
    await pause(2_000);
    expect(line.client.connected).toBe(true);
    expect(await statusOf(device(2))).toBe('offline');
    const stored = `SELECT 1 FROM events WHERE device_id = $1 AND payload->>'seq' = '9001'`;
    expect(await sql.rows(stored, [line.id])).toEqual([]);
  });
});
