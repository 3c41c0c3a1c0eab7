import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type DeviceChannel, deviceTopic, DOWNLINK_CHANNELS, UPLINK_CHANNELS } from '../../src/contracts/mqtt.js';
import { DevicePublisher } from '../../src/platform/mqtt/device-publisher.js';
import { TestApp } from '../support/test-app.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

/**
 * P-15: a device touches only its own topics. n foreign operations, half publishing and half subscribing, against
 * victims that listen and are received: 0 may succeed.
 * Seen to fail: with `authorizePublish` or `authorizeSubscribe` of the broker letting everything through.
 */
const n = scaled(200, 10_000);
const seed = SEED;
const CHANNELS: readonly DeviceChannel[] = [...UPLINK_CHANNELS, ...DOWNLINK_CHANNELS];
const ATTACKERS = 8;

let application: TestApp;
let victim: ScriptedDevice;
let attackers: RegisteredDevice[];
let sql: Sql;

beforeAll(async () => {
  application = await TestApp.start();
  const [owner, mallory] = [await createAccount(application.url), await createAccount(application.url)];
  const device = await registerDevice(application.url, owner);
  victim = await ScriptedDevice.born(application.mqttUrl, device, 'victim-boot');
  attackers = await Promise.all(Array.from({ length: ATTACKERS }, () => registerDevice(application.url, mallory)));
  sql = await Sql.open(application.databaseUrl);
});

afterAll(async () => {
  await victim.end();
  await sql.end();
  await application.stop();
});

/** mulberry32: the same operations for the same seed. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const next = random(seed);
const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;

function foreignTopic(own: string): string {
  const target = victim.id;
  const channel = pick(CHANNELS);
  return pick([
    deviceTopic(target, channel),
    deviceTopic(target.toUpperCase(), channel),
    `/${deviceTopic(target, channel)}`,
    `${deviceTopic(target, channel)}/`,
    `${deviceTopic(own, channel)}/../../${target}/${channel}`,
    `v1/devices/${own}/${target}/${channel}`,
    `v1/devices//${channel}`,
    deviceTopic(own, pick(DOWNLINK_CHANNELS)),
    `$SYS/${target}/new/clients`,
    `v1/devices/${target}`,
  ]);
}

function foreignFilter(own: string): string {
  const target = victim.id;
  return pick([
    '#',
    '+/#',
    'v1/#',
    'v1/devices/#',
    'v1/devices/+/+',
    `v1/devices/${target}/#`,
    `v1/devices/${own}/#`,
    `v1/devices/${own}/+`,
    `v1/+/${target}/commands`,
    `$share/x/v1/devices/${target}/commands`,
    '$SYS/#',
    deviceTopic(target, pick(CHANNELS)),
    deviceTopic(own, pick(UPLINK_CHANNELS)),
  ]);
}

/** @returns whether the broker took it. */
async function publish(attacker: RegisteredDevice): Promise<boolean> {
  const line = await ScriptedDevice.connect(application.mqttUrl, attacker, { clientId: randomUUID() });
  const outcome = new Promise<boolean>((resolve) => {
    line.client.once('close', () => {
      resolve(false);
    });
    line.client.publish(foreignTopic(attacker.id), '{"canary":true}', { qos: 1, retain: next() < 0.3 }, (error) => {
      resolve(!error);
    });
  });
  const taken = await outcome;
  await line.end();
  return taken;
}

async function subscribe(line: ScriptedDevice): Promise<boolean> {
  const granted = await line.client.subscribeAsync(foreignFilter(line.id), { qos: 1 }).catch(() => []);
  return granted.some(({ qos }) => qos < 128);
}

describe('P-15: a device touches only its own topics', () => {
  it(`does not publish or subscribe elsewhere in ${String(n)} attempts (seed ${String(seed)})`, async () => {
    let taken = 0;
    await Promise.all(
      attackers.map(async (attacker) => {
        const spy = await ScriptedDevice.connect(application.mqttUrl, attacker);
        for (let index = 0; index < n / ATTACKERS / 2; index++) {
          taken += Number(await subscribe(spy)) + Number(await publish(attacker));
        }
        // Zero counts only because all were subscribed: the victim receives a message, and so does the spy.
        await spy.listen();
        const publisher = application.get(DevicePublisher);
        await publisher.publish(victim.id, 'receipts', { boot: 'to-the-victim', seq: 1 });
        await publisher.publish(attacker.id, 'receipts', { boot: 'to-the-spy', seq: 1 });
        await spy.receipt('to-the-spy', 1);
        expect(spy.received.map(({ topic }) => topic)).toEqual([deviceTopic(attacker.id, 'receipts')]);
        await spy.end();
      }),
    );
    expect(taken).toBe(0);
    await eventually('the victim hears what is for it', () => victim.receipts().length === ATTACKERS);
    expect(victim.received.filter(({ payload }) => payload.includes('canary'))).toEqual([]);
    expect(victim.client.connected).toBe(true);
    expect(await sql.rows(`SELECT 1 FROM events WHERE payload ? 'canary'`)).toEqual([]);
    recordFigure({
      promise: 'P-15',
      shown: 'Devices published and subscribed on the topics of another, which listened.',
      n,
      figure: `${String(taken)} foreign operations`,
      seed,
    });
  }, 300_000);
});
