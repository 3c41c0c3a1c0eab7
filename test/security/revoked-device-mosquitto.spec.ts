/**
 * P-16 with a broker of the operator's, which knows nothing of tokens: a device without a valid one keeps its connection there.
 * Nothing that it says is taken, it gets nothing, its owner sees that, and the operator ends the connection by its account.
 * Whose token was only replaced cannot be told apart, so that the account has to be changed: the docs say so.
 * Seen to fail: without the refusals (silence, and `unknown_command` for acks), with events stored whatever the tokens, and with
 * settings published to a device without one (340 got by each).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NO_VALID_TOKEN, RejectedMessages } from '../../src/platform/mqtt/rejected-messages.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { OperatedMosquitto } from '../support/operated-mosquitto.js';
import { recordFigure, scaled } from '../support/promise.js';
import { type Answer, request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const ROUNDS = scaled(1, 25);
const AT_ONCE = scaled(1, 4);
const HEARTBEAT_AGAIN_MS = 200;

let broker: OperatedMosquitto;
let application: TestApp;
let ada: InsertedAccount;
/** Gets what is sent after what the revoked device would have got. */
let witness: ScriptedDevice;
/** Another value each time: what is set already is not sent. */
let autoLockTimeoutMs = 5_000;
/** How many messages of each device were refused because it has no valid token. */
const refused = new Map<string, number>();

beforeAll(async () => {
  broker = await OperatedMosquitto.start();
  application = await TestApp.start({
    env: { ...broker.env(), REGISTRATION: 'verified', RATE_LIMIT_SCALE: '1000', MAX_DEVICES_PER_USER: '1000' },
  });
  ada = await insertAccount(application);
  application.get(RejectedMessages).onRefusal(({ deviceId, code }) => {
    refused.set(deviceId, (refused.get(deviceId) ?? 0) + Number(code === NO_VALID_TOKEN));
  });
  const [device] = await newDevices(1);
  witness = await born(device!);
}, 60_000);

afterAll(async () => {
  await witness.end();
  await application.stop();
  await broker.server.stop();
});

function ask<T = Record<string, unknown>>(
  who: InsertedAccount,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer<T>> {
  const headers = { 'idempotency-key': randomUUID() };
  return request<T>(application.url, method, `/api/v1/devices${path}`, { token: who.accessToken, body, headers });
}

/** With the accounts that the operator makes for them. */
async function newDevices(count: number): Promise<RegisteredDevice[]> {
  const devices = await Promise.all(Array.from({ length: count }, () => registerDevice(application.url, ada)));
  await broker.addAccounts(devices);
  return devices;
}

async function born(device: RegisteredDevice): Promise<ScriptedDevice> {
  const line = await ScriptedDevice.born(broker.deviceUrl, device, randomUUID());
  await eventually('it is online', async () => (await ask(ada, 'GET', `/${device.id}`)).body.status === 'online');
  return line;
}

const event = (line: ScriptedDevice, seq: number): Promise<void> =>
  line.publish('events', { boot: line.boot, seq, type: 'custom', data: { seq } });

/** @returns who owns it now; null: nobody */
type Ending = (id: string) => Promise<InsertedAccount | null>;

const WAYS: Readonly<Record<string, Ending>> = {
  'revoked by its owner': async (id) => {
    expect((await ask(ada, 'POST', `/${id}/token/revoke`)).status).toBe(204);
    return ada;
  },
  deleted: async (id) => {
    expect((await ask(ada, 'DELETE', `/${id}`)).status).toBe(204);
    return null;
  },
  transferred: async (id) => {
    // Another person each time: how much mail an address gets has a limit.
    const grace = await insertAccount(application);
    const { status, body } = await ask<{ id: string }>(ada, 'POST', `/${id}/transfer`, { email: grace.email });
    expect(status).toBe(201);
    expect((await ask(grace, 'POST', `/transfers/${body.id}/accept`, {})).status).toBe(200);
    return grace;
  },
  reset: async (id) => {
    expect((await ask(ada, 'POST', `/${id}/factory-reset`)).status).toBe(200);
    return ada;
  },
};

/** Says everything that a device can say, until all four of it are refused. @returns how much had come to it when the first were */
async function sayAll(line: ScriptedDevice, commandId: string): Promise<number> {
  const isRefused = (times: number): boolean => (refused.get(line.id) ?? 0) >= times;
  await event(line, 2);
  await line.birth();
  await line.ack({ commandId, status: 'executed' });
  await eventually('three are refused', () => isRefused(3));
  const heard = line.received.length;
  await eventually('a heartbeat is refused', async () => {
    // It may have waited on its way: then it opens no link, and is not counted.
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 70_000 });
    await pause(HEARTBEAT_AGAIN_MS);
    return isRefused(4);
  });
  return heard;
}

const set = async (who: InsertedAccount, id: string): Promise<void> => {
  autoLockTimeoutMs += 1;
  expect((await ask(who, 'PATCH', `/${id}/settings`, { settings: { autoLockTimeoutMs } })).status).toBe(200);
};
const order = async (who: InsertedAccount, id: string): Promise<void> => {
  expect((await sendCommand(application.url, who, id, { name: 'lock_door' })).status).toBe(202);
};
const settingsAt = ({ received }: ScriptedDevice): number =>
  received.filter(({ topic, payload }) => topic.endsWith('/settings') && payload !== '').length;

interface Ended {
  readonly way: string;
  readonly device: RegisteredDevice;
  readonly line: ScriptedDevice;
  /** How much had come to it by then. */
  readonly heard: number;
}

/** A device that is heard, and has got an order and settings, ends so and goes on talking. */
async function endTalking(way: string, device: RegisteredDevice): Promise<Ended> {
  const line = await born(device);
  await event(line, 1);
  await line.receipt(line.boot, 1);
  await set(ada, device.id);
  await order(ada, device.id);
  const { commandId } = await line.waitForOrder();
  await eventually('its settings are there', () => settingsAt(line) > 0);
  const owner = (await WAYS[way]?.(device.id)) ?? null;
  const heard = await sayAll(line, commandId);
  if (owner) {
    const { body } = await ask(owner, 'GET', `/${device.id}`);
    expect(body).toMatchObject({ status: way.startsWith('revoked') ? 'offline' : 'unknown', links: [] });
    await order(owner, device.id);
    await set(owner, device.id);
    await eventually('its owner sees it', async () => {
      const { body } = await ask<{ refusals: { code: string }[] }>(owner, 'GET', `/${device.id}/diagnostics`);
      return body.refusals.some(({ code }) => code === NO_VALID_TOKEN);
    });
  }
  return { way, device, line, heard };
}

/** What is sent after all that was for the others has come: nothing for them is under way any more. */
async function waitForLater(): Promise<void> {
  const [orders, settings] = [witness.orders.length, settingsAt(witness)];
  await order(ada, witness.id);
  await set(ada, witness.id);
  const { commandId } = await witness.waitForOrder(orders + 1);
  await eventually('the settings of the other device', () => settingsAt(witness) > settings);
  await witness.ack({ commandId, status: 'executed' });
}

/** How much of what it said after its end is stored, and how much it got after it. */
async function traces({ line, heard }: Ended): Promise<{ stored: number; got: number }> {
  const [row] = await application.rows<{ stored: number }>(
    `SELECT ((SELECT count(*) FROM events WHERE device_id = $1 AND actor = 'device:' || $1 AND type = 'custom') - 1
       + (SELECT count(*) FROM device_links WHERE device_id = $1::uuid)
       + (SELECT count(*) FROM commands WHERE device_id = $1::uuid AND state = 'EXECUTED'))::int AS stored`,
    [line.id],
  );
  // An empty message takes the settings back.
  return { stored: row?.stored ?? -1, got: line.received.slice(heard).filter(({ payload }) => payload !== '').length };
}

async function leave({ device, line }: Ended): Promise<void> {
  await line.closed();
  await expect(ScriptedDevice.connect(broker.deviceUrl, device)).rejects.toBeInstanceOf(Error);
}

describe('P-16: a device without a valid token, whose connection a broker of the operator’s keeps', () => {
  it(
    'is not heard, gets nothing, and its owner sees it; its connection ends with its account',
    async () => {
      const ways = Object.keys(WAYS).flatMap((way) => Array.from({ length: AT_ONCE }, () => way));
      const found: { way: string; stored: number; got: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const devices = await newDevices(ways.length);
        const ended = await Promise.all(devices.map((device, index) => endTalking(ways[index] ?? '', device)));
        await waitForLater();
        expect(ended.filter(({ line }) => !line.client.connected)).toEqual([]);
        found.push(...(await Promise.all(ended.map(async (one) => ({ way: one.way, ...(await traces(one)) })))));
        await broker.removeAccounts(devices);
        await Promise.all(ended.map(leave));
      }
      for (const name of Object.keys(WAYS)) {
        const of = found.filter(({ way }) => way === name);
        const sum = (which: 'stored' | 'got'): string => String(of.reduce((total, one) => total + one[which], 0));
        recordFigure({
          promise: 'P-16',
          shown: `Devices that Mosquitto keeps, ${name}, which went on talking over it.`,
          n: of.length,
          figure: `${sum('stored')} messages stored after, ${sum('got')} orders, settings and receipts sent to them`,
        });
      }
      expect(found.filter(({ stored, got }) => stored !== 0 || got !== 0)).toEqual([]);
    },
    scaled(60_000, 900_000),
  );

  it('is taken for itself after a rotation, until its account is changed', async () => {
    const [device] = await newDevices(1);
    const line = await born(device!);
    const { body } = await ask<{ deviceToken: string }>(ada, 'POST', `/${line.id}/token/rotate`, { overlapSeconds: 0 });
    await event(line, 1);
    await line.receipt(line.boot, 1);
    const renewed = { id: line.id, token: body.deviceToken };
    await broker.addAccounts([renewed]);
    await line.closed();
    await expect(ScriptedDevice.connect(broker.deviceUrl, device!)).rejects.toBeInstanceOf(Error);
    await (await born(renewed)).end();
  });
});
