/**
 * P-07 for devices on MQTT: a walk over the channels of the contract. The devices of a stranger and of a guest whose share has
 * ended publish on each topic of Ada's device, and subscribe to it, in every spelling and by every wildcard; on their own topics
 * they name its boot and its orders. Whatever travels on its topics is caused, while they listen. People have no account there.
 * Seen to fail: with an access list that does not hold topics, filters or wills against the device that logged in; with acks, and
 * with reports of the bolt, that are not held against the device of the command.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type DeviceChannel,
  type DeviceMessages,
  deviceTopic,
  DOWNLINK_CHANNELS,
  UPLINK_CHANNELS,
  type UplinkChannel,
} from '../../src/contracts/mqtt.js';
import type { IClientOptions } from 'mqtt';
import { LineLimiter } from '../../src/platform/mqtt/limits/line-limiter.js';
import type { Account } from '../support/accounts.fixture.js';
import { uptimeMs } from '../support/device-uptime.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { topicsLike, wideFilters } from '../support/foreign-topics.js';
import { type NamedIds, numbering, uplinksNaming } from '../support/naming-uplinks.js';
import { giveOpenOrders, type OpenOrders, recordOf } from '../support/open-orders.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { shuffled, walk } from '../support/random-walk.js';
import { request } from '../support/rest.js';
import { BAD_CREDENTIALS, NOT_AUTHORIZED, ScriptedDevice } from '../support/scripted-device.js';
import { createTwoTenants, type TwoTenants } from '../support/two-tenants.js';
import { eventually } from '../support/wait.js';

const OPERATIONS = scaled(0, 10_000);
const ROUNDS = scaled(1, 20);
const CANARY = `canary-${randomUUID().slice(0, 8)}`;
const CHANNELS: readonly DeviceChannel[] = [...UPLINK_CHANNELS, ...DOWNLINK_CHANNELS];
const GRANTED_QOS = [0, 1, 2];

interface Stranger {
  readonly account: Account;
  readonly registered: RegisteredDevice;
  /** Listens. */
  readonly line: ScriptedDevice;
}

let tenants: TwoTenants;
let mqttUrl: string;
let door: ScriptedDevice;
let orders: OpenOrders;
let strangers: Stranger[];
let operations = 0;

beforeAll(async () => {
  tenants = await createTwoTenants(CANARY);
  const { application, mallory, formerGuest, his, line } = tenants;
  ({ mqttUrl } = application);
  door = line.hers;
  orders = await giveOpenOrders(tenants);
  const guests = await registerDevice(application.url, formerGuest);
  strangers = [
    { account: mallory, registered: his, line: line.his },
    { account: formerGuest, registered: guests, line: await ScriptedDevice.born(mqttUrl, guests, 'boot-of-guests') },
  ];
}, 60_000);

afterAll(async () => {
  await strangers[1]?.line.end();
  await tenants.stop();
});

const namesOfHers = (): NamedIds => ({ deviceId: tenants.hers.id, boot: door.boot, ...orders });

/** One of hers, taken from her line, or made as she would. */
function payloadOn(channel: DeviceChannel): string {
  const payloads: { readonly [C in DeviceChannel]: () => DeviceMessages[C] } = {
    ...uplinksNaming(namesOfHers(), () => 1, CANARY),
    commands: () => door.signedOrders[0]!,
    receipts: () => ({ boot: door.boot, seq: 1_000 }),
    settings: () => ({ version: 1_000, settings: { custom: { text: CANARY } } }),
  };
  return JSON.stringify(payloads[channel]());
}

/** By a connection of its own, which the broker ends when it refuses. */
async function publishes({ registered }: Stranger, topic: string, payload: string, retain = false): Promise<boolean> {
  operations += 1;
  const line = await ScriptedDevice.connect(mqttUrl, registered, { clientId: randomUUID() });
  const taken = new Promise<boolean>((resolve) => {
    line.client.once('close', () => {
      resolve(false);
    });
    line.client.publish(topic, payload, { qos: 1, retain }, (error) => {
      resolve(!error);
    });
  });
  return taken.finally(() => line.end());
}

async function subscribes({ line }: Stranger, filter: string): Promise<boolean> {
  operations += 1;
  const granted = await line.client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
  return granted.some(({ qos }) => GRANTED_QOS.includes(qos));
}

function loginCode(username: string, password: string, more: IClientOptions = {}): Promise<number> {
  operations += 1;
  return ScriptedDevice.loginCode(mqttUrl, { id: username, token: password }, more);
}

function foreignTopics(stranger: Stranger): (() => Promise<void>)[] {
  const { id, token } = stranger.registered;
  return CHANNELS.flatMap((channel) =>
    topicsLike(tenants.hers.id, channel, id).flatMap((topic, index) => [
      async () => {
        expect([topic, await subscribes(stranger, topic)]).toEqual([topic, false]);
      },
      async () => {
        expect([topic, await publishes(stranger, topic, payloadOn(channel), index === 0)]).toEqual([topic, false]);
      },
      async () => {
        const will = { topic, payload: Buffer.from(payloadOn(channel)), qos: 1, retain: index === 0 } as const;
        expect([topic, await loginCode(id, token, { will })]).toEqual([topic, NOT_AUTHORIZED]);
      },
    ]),
  );
}

/** On its own topics, in the name of hers. */
function ownTopics(stranger: Stranger): (() => Promise<void>)[] {
  const { id } = stranger.registered;
  const names = namesOfHers();
  const numberOf = numbering();
  const spelled = { deviceId: names.deviceId.toUpperCase(), sent: names.sent.toUpperCase() };
  return [names, { ...names, ...spelled }, { ...names, boot: stranger.line.boot }].flatMap((ids) =>
    Object.entries(uplinksNaming(ids, numberOf, CANARY)).map(([channel, message]) => async () => {
      const topic = deviceTopic(id, channel as UplinkChannel);
      expect([topic, await publishes(stranger, topic, JSON.stringify(message()))]).toEqual([topic, true]);
    }),
  );
}

function logins({ account, registered }: Stranger): (() => Promise<void>)[] {
  const { ada, hers } = tenants;
  const people = [ada.id, ada.email, account.id, account.email];
  const secrets = [account.accessToken, account.password, registered.token, ''];
  const pairs = [
    ...[...people, hers.id].flatMap((name) => [ada.accessToken, ada.password].map((secret) => [name, secret] as const)),
    ...[...people, hers.id, hers.id.toUpperCase(), `${hers.id}/${registered.id}`].flatMap((name) =>
      secrets.map((secret) => [name, secret] as const),
    ),
  ];
  return [
    ...pairs.map(([name, secret]) => async () => {
      expect([name, await loginCode(name, secret)]).toEqual([name, BAD_CREDENTIALS]);
    }),
    // Under the name of her connection.
    async () => {
      expect(await loginCode(registered.id, registered.token, { clientId: hers.id })).toBe(0);
      expect(door.client.connected).toBe(true);
    },
  ];
}

/** What is on its way to a device has arrived before the receipt. */
async function exchange(line: ScriptedDevice): Promise<void> {
  expect(line.client.connected).toBe(true);
  const boot = `boot-${randomUUID()}`;
  await line.publish('events', { seq: 1, boot, type: 'custom', data: {} });
  await line.receipt(boot, 1);
}

/** All that a device of a stranger has published is handled: heartbeats last, which are written once a second. */
async function settled({ account, registered, line }: Stranger): Promise<void> {
  const { application } = tenants;
  const rssi = -4 - Math.floor(Math.random() * 90);
  await line.birth({ uptimeMs: uptimeMs() });
  await line.publish('heartbeat', { boot: line.boot, uptimeMs: uptimeMs(), rssi });
  await exchange(line);
  await application.get(LineLimiter).drained();
  await eventually('its last heartbeat', async () => {
    const path = `/api/v1/devices/${registered.id}`;
    return (await request(application.url, 'GET', path, { token: account.accessToken })).body.rssi === rssi;
  });
}

describe('P-07: what devices send', () => {
  it('is refused on the topics of another tenant, and is about their own device on their own', async () => {
    const before = await recordOf(tenants);
    await Promise.all(
      strangers.map((stranger) =>
        walk(
          [
            ...foreignTopics(stranger),
            ...ownTopics(stranger),
            ...logins(stranger),
            () => door.beat(),
            ...wideFilters(tenants.hers.id).map((filter) => async () => {
              expect([filter, await subscribes(stranger, filter)]).toEqual([filter, false]);
            }),
          ],
          () => operations >= OPERATIONS,
          1,
        ),
      ),
    );
    await Promise.all(strangers.map(settled));
    expect(await recordOf(tenants)).toEqual(before);
    expect(door.client.connected).toBe(true);
  }, 600_000);
});

describe('P-07: what travels on the topics of a device', () => {
  const numberOf = numbering();
  let heartbeats = 0;
  const order = async (name: string): Promise<string> => {
    const { body } = await sendCommand(tenants.application.url, tenants.ada, tenants.hers.id, { name });
    await eventually('the order', () => door.orders.some(({ commandId }) => commandId === body.id));
    return body.id;
  };
  /** The compiler knows of each new channel. */
  const causes: Readonly<Record<DeviceChannel, () => Promise<unknown>>> = {
    status: () => {
      const firmwareVersion = `${CANARY} ${randomUUID().slice(0, 8)}`;
      const birth = { online: true, boot: door.boot, uptimeMs: uptimeMs(), firmwareVersion } as const;
      return door.publish('status', birth, { retain: true });
    },
    heartbeat: () => {
      heartbeats += 1;
      return door.publish('heartbeat', { boot: door.boot, uptimeMs: uptimeMs(), rssi: -1 - (heartbeats % 100) });
    },
    events: () =>
      door.publish('events', {
        seq: numberOf(door.boot),
        boot: door.boot,
        type: 'motion_detected',
        data: { zone: CANARY },
      }),
    acks: async () => door.ack({ commandId: await order('lock_door'), status: 'executed', result: { CANARY } }),
    receipts: () =>
      door.publish('events', { seq: numberOf(door.boot), boot: door.boot, type: 'custom', data: { text: CANARY } }),
    commands: async () => door.ack({ commandId: await order('lock_door'), status: 'executed' }),
    settings: () =>
      request(tenants.application.url, 'PATCH', `/api/v1/devices/${tenants.hers.id}/settings`, {
        token: tenants.ada.accessToken,
        body: { settings: { custom: { text: `${CANARY} ${randomUUID()}` } } },
      }),
  };

  /** What the device of Ada hears, and what is recorded of it: one of the two shows that something travelled. */
  const shown = async (channel: DeviceChannel): Promise<unknown> =>
    UPLINK_CHANNELS.some((each) => each === channel)
      ? recordOf(tenants)
      : door.received.filter(({ topic }) => topic === deviceTopic(tenants.hers.id, channel)).length;

  async function expectOnlyOwn(line: ScriptedDevice): Promise<void> {
    await exchange(line);
    expect(line.received.filter(({ topic }) => !topic.startsWith(`v1/devices/${line.id}/`))).toEqual([]);
    expect(JSON.stringify(line.received)).not.toContain(CANARY);
  }

  it('is all that the contract has', () => {
    expect(Object.keys(causes).sort()).toEqual([...CHANNELS].sort());
  });

  it('is heard there alone, now and of what the broker has kept', async () => {
    let heard = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const channel of shuffled(CHANNELS)) {
        const before = JSON.stringify(await shown(channel));
        await causes[channel]();
        await eventually(`something on ${channel}`, async () => JSON.stringify(await shown(channel)) !== before);
        heard += strangers.length;
      }
      for (const { registered, line } of strangers) {
        await expectOnlyOwn(line);
        const late = await ScriptedDevice.connect(mqttUrl, registered, { clientId: 'late' });
        await late.listen();
        const filters = CHANNELS.flatMap((channel) => topicsLike(tenants.hers.id, channel, registered.id));
        await late.client
          .subscribeAsync([...filters, ...wideFilters(tenants.hers.id)], { qos: 1 })
          .catch(() => undefined);
        await expectOnlyOwn(late);
        await late.end();
      }
    }
    recordFigure({
      promise: 'P-07',
      shown:
        'Devices of a stranger and of a guest whose share ended published on the topics of another tenant over MQTT, subscribed to them, named its orders on their own, and logged in as people; whatever travels there was sent, while they listened.',
      n: operations + heard,
      figure: '0 taken, 0 changes, 0 heard',
      seed: SEED,
    });
  }, 600_000);
});
