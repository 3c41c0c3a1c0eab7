/**
 * P-07 for devices on sockets: a walk over the AsyncAPI document. The devices of a stranger and of a guest whose share has ended
 * say whatever a device may say, naming Ada's device, its boot and its orders wherever an id can stand; whatever devices are
 * told is caused for Ada's device, while theirs listen, and another one of Ada's.
 * Seen to fail: with acks, and with reports of the bolt, that are not held against the device of the command; with any token in
 * the handshake; with settings that are told to every socket; with an order that the walk does not know.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMMAND_NAMES, type CommandName } from '../../src/contracts/commands.js';
import { DEVICE_REPORTS, type DeviceReport } from '../../src/contracts/device-sockets.js';
import type { Account } from '../support/accounts.fixture.js';
import { uptimeMs } from '../support/device-uptime.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { type NamedIds, numbering, reportsNaming } from '../support/naming-uplinks.js';
import { FIRMWARE, giveOpenOrders, type OpenOrders, recordOf } from '../support/open-orders.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { shuffled, walk } from '../support/random-walk.js';
import { request } from '../support/rest.js';
import { SocketDevice } from '../support/socket-device.js';
import { SocketDocumentReader } from '../support/socket-document.js';
import { createTwoTenants, type TwoTenants } from '../support/two-tenants.js';
import { eventually } from '../support/wait.js';

const MESSAGES = scaled(0, 8_000);
const ROUNDS = scaled(1, 30);
const CANARY = `canary-${randomUUID().slice(0, 8)}`;
/** Of Socket.IO itself. */
const RESERVED = ['connect', 'connect_error'];

interface Stranger {
  readonly account: Account;
  readonly registered: RegisteredDevice;
  readonly socket: SocketDevice;
}

let tenants: TwoTenants;
let url: string;
let document: SocketDocumentReader;
let orders: OpenOrders;
let door: SocketDevice;
let neighbour: SocketDevice;
let strangers: Stranger[];
let said = 0;
let told = 0;

beforeAll(async () => {
  tenants = await createTwoTenants(CANARY);
  const { application, ada, mallory, formerGuest, hers, his, line } = tenants;
  ({ url } = application);
  document = await SocketDocumentReader.served(url, 'device');
  orders = await giveOpenOrders(tenants);
  door = await SocketDevice.born(url, hers, line.hers.boot);
  await line.hers.end();
  await eventually('her device has its socket alone', async () => {
    const { device } = await recordOf(tenants);
    return JSON.stringify(device.links) === '["websocket"]';
  });
  neighbour = await SocketDevice.born(url, await registerDevice(url, ada, `${CANARY} gate`));
  strangers = await Promise.all(
    [
      { account: mallory, registered: his },
      { account: formerGuest, registered: await registerDevice(url, formerGuest) },
    ].map(async (each) => ({ ...each, socket: await SocketDevice.born(url, each.registered) })),
  );
}, 60_000);

afterAll(async () => {
  [door, neighbour, ...strangers.map(({ socket }) => socket)].forEach((socket) => {
    socket.end();
  });
  await tenants.stop();
});

/** Everything that a device of a stranger can say about Ada's. */
function attempts({ socket, account, registered }: Stranger): (() => Promise<void>)[] {
  const { id } = tenants.hers;
  const names: NamedIds = { deviceId: id, boot: door.boot, ...orders };
  const spelled = {
    deviceId: id.toUpperCase(),
    sent: orders.sent.toUpperCase(),
    executed: orders.executed.toUpperCase(),
  };
  const numberOf = numbering();
  const reports = [names, { ...names, ...spelled }, { ...names, boot: socket.boot }].map((ids) =>
    reportsNaming(ids, numberOf, CANARY),
  );
  const ask = async (name: string, body: unknown): Promise<unknown> => {
    said += 1;
    return socket.say(name, body);
  };
  const others = document.names.filter((name) => !(name in DEVICE_REPORTS) && !RESERVED.includes(name));
  const tokens = [registered.token, account.accessToken, account.password, ''];
  return [
    ...reports.flatMap((bodies) =>
      (Object.keys(bodies) as DeviceReport[]).map((name) => async () => {
        // It is taken as said of the device that says it.
        expect([name, await ask(name, bodies[name]())]).toMatchObject([name, { ok: true }]);
      }),
    ),
    ...others.map((name) => async () => {
      const answer = await ask(name, { deviceId: id, commandId: orders.sent });
      expect([name, answer]).toMatchObject([name, { error: { status: 404, code: 'unknown_event' } }]);
    }),
    ...[id, id.toUpperCase()].flatMap((deviceId) =>
      tokens.map((token) => async () => {
        said += 1;
        const { code } = await SocketDevice.refusal(url, { clientType: 'device', deviceId, token });
        expect(code).toBe('device_token_refused');
      }),
    ),
  ];
}

/** What is on its way to a device has arrived before the answer. */
async function lives(socket: SocketDevice): Promise<void> {
  expect(await socket.beat()).toEqual({ ok: true });
}

/** The device of a stranger was heard to say it: what it said of Ada's would have been written together with that. */
async function heardOf({ account, registered, socket }: Stranger): Promise<void> {
  const rssi = -4 - Math.floor(Math.random() * 90);
  await socket.say('device_register', { boot: socket.boot, uptimeMs: uptimeMs() });
  await socket.say('device_heartbeat', { boot: socket.boot, uptimeMs: uptimeMs(), rssi });
  await eventually('a heartbeat of the stranger', async () => {
    const { body } = await request(url, 'GET', `/api/v1/devices/${registered.id}`, { token: account.accessToken });
    return body.rssi === rssi;
  });
}

describe('P-07: what devices say', () => {
  it('is all that the document has', () => {
    const walked = reportsNaming({ deviceId: '', boot: '', sent: '', executed: '' }, () => 1, '');
    expect(document.sentBy('client').sort()).toEqual(['connect', ...Object.keys(walked)].sort());
  });

  it('changes nothing of the device of another tenant, whatever it names', async () => {
    const before = await recordOf(tenants);
    // One after the other, because events are taken without gaps.
    await Promise.all(
      strangers.map((stranger) =>
        walk([...attempts(stranger), () => lives(door), () => lives(neighbour)], () => said >= MESSAGES, 1),
      ),
    );
    await Promise.all(strangers.map(heardOf));
    expect(await recordOf(tenants)).toEqual(before);
    expect(JSON.stringify(strangers.map(({ socket }) => socket.heard))).not.toContain(CANARY);
  }, 600_000);

  it('changes it when it says the same itself', async () => {
    const ids = { deviceId: tenants.hers.id, boot: door.boot, ...orders };
    const reports = reportsNaming(ids, numbering(), CANARY);
    for (const name of Object.keys(reports) as DeviceReport[]) {
      const before = JSON.stringify(await recordOf(tenants));
      expect([name, await door.say(name, reports[name]())]).toMatchObject([name, { ok: true }]);
      await eventually(`${name} changes something`, async () => JSON.stringify(await recordOf(tenants)) !== before);
    }
    const { commands } = await recordOf(tenants);
    expect(commands.find(({ id }) => id === orders.sent)).toMatchObject({ state: 'EXECUTED' });
    expect(commands.find(({ id }) => id === orders.executed)).toMatchObject({ confirmedBy: 'state_report' });
  });
});

describe('P-07: what devices are told', () => {
  const order = async (name: CommandName): Promise<void> => {
    const { ada, hers } = tenants;
    const body = name === 'firmware_update' ? { name, payload: FIRMWARE } : { name };
    const { status, body: command } = await sendCommand(url, ada, hers.id, body);
    expect([name, status, command]).toMatchObject([name, 202, { id: expect.any(String) }]);
    await eventually(`the order ${name}`, () => door.orders.some(({ commandId }) => commandId === command.id));
    await door.say('command_ack', { commandId: command.id, status: 'executed' });
  };
  const causes: Readonly<Record<string, () => Promise<unknown>>> = {
    ...Object.fromEntries(COMMAND_NAMES.map((name) => [name, () => order(name)])),
    update_settings: () =>
      request(url, 'PATCH', `/api/v1/devices/${tenants.hers.id}/settings`, {
        token: tenants.ada.accessToken,
        body: { settings: { custom: { text: `${CANARY} ${randomUUID()}` } } },
      }),
    // Its connection is replaced.
    closing: async () => {
      const older = door;
      door = await SocketDevice.born(url, tenants.hers, older.boot);
      await older.closed();
      door.heard.unshift(...older.heard);
    },
    problem: () => {
      door.tell('command_ack', { commandId: CANARY });
      return Promise.resolve();
    },
  };

  it('is all that the document has', () => {
    expect(Object.keys(causes).sort()).toEqual(document.sentBy('server').sort());
  });

  it('is told to the device that it is for, and to no other one', async () => {
    const listening = [neighbour, ...strangers.map(({ socket }) => socket)];
    listening.forEach(({ heard }) => {
      heard.length = 0;
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const name of shuffled(Object.keys(causes))) {
        door.heard.length = 0;
        await causes[name]?.();
        await eventually(`${name} told`, () => door.heard.some((message) => message.name === name));
        told += listening.length;
      }
      for (const socket of listening) {
        await lives(socket);
        expect(socket.heard).toEqual([]);
      }
    }
    for (const { account, registered, socket } of strangers) {
      const { body } = await sendCommand(url, account, registered.id, { name: 'lock_door' });
      expect(await socket.waitForOrder()).toMatchObject({ commandId: body.id, deviceId: registered.id });
      expect(socket.heard.map(({ name }) => name)).toEqual(['lock_door']);
    }
    recordFigure({
      promise: 'P-07',
      shown:
        'Every message that a device may send on a socket, naming the device, the boot and the orders of another tenant, by devices of a stranger and of a guest whose share ended; and every message to that device, while theirs listened.',
      n: said + told,
      figure: '0 changes, 0 heard',
      seed: SEED,
    });
  }, 600_000);
});
