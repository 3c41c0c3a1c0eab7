/**
 * Any MQTT client can be a device: the clients of Mosquitto act as the lock, against the embedded broker and against a
 * Mosquitto server with the configuration of deploy/mosquitto. Nothing here knows more than docs/protocol.md says.
 * Seen to fail: without `$share/...` both hardware processes hear every ack.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { type AckStatus } from '../../src/contracts/commands.js';
import { type Order, type OrderKey, type SignedOrder } from '../../src/contracts/orders.js';
import { CommandRecords } from '../support/command-records.js';
import { MosquittoDevice } from '../support/mosquitto-client.js';
import { OperatedMosquitto } from '../support/operated-mosquitto.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { ApplicationProcess } from '../support/process.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

type Body = Record<string, unknown>;

/** A person with one device, and the two programs that play it. */
class Stage {
  readonly boot = randomBytes(16).toString('base64url');
  readonly #bornAt = performance.now();
  player!: MosquittoDevice;

  constructor(
    readonly url: string,
    readonly owner: Account,
    readonly device: RegisteredDevice,
  ) {}

  get uptimeMs(): number {
    return Math.round(performance.now() - this.#bornAt);
  }

  async enter(mqttUrl: string): Promise<void> {
    this.player = await MosquittoDevice.listening(mqttUrl, this.device, this.boot);
    const birth = {
      online: true,
      boot: this.boot,
      uptimeMs: this.uptimeMs,
      firmwareVersion: '0.1',
      lockState: 'locked',
      doorState: 'closed',
    };
    await this.player.publish('status', birth, { retain: true });
    await this.shows('online', ({ status, lockState }) => status === 'online' && lockState === 'locked');
  }

  /** Waits until REST says of the device what `matches`. */
  shows(what: string, matches: (device: Body) => boolean): Promise<Body> {
    return this.read(`the device is ${what}`, `/api/v1/devices/${this.device.id}`, matches);
  }

  command(id: string, what: string, matches: (command: Body) => boolean): Promise<Body> {
    return this.read(`the command is ${what}`, `/api/v1/devices/${this.device.id}/commands/${id}`, matches);
  }

  ack(commandId: string, status: AckStatus, result?: Body): Promise<void> {
    return this.player.publish('acks', { commandId, status, ...(result ? { result } : {}) });
  }

  private read(what: string, path: string, matches: (body: Body) => boolean): Promise<Body> {
    return eventually(what, async () => {
      const { body } = await request(this.url, 'GET', path, { token: this.owner.accessToken });
      return matches(body) && body;
    });
  }
}

/** Checks the signature with nothing but the published keys. */
async function readOrder(url: string, { order, kid, signature }: SignedOrder): Promise<Order> {
  const { body } = await request<{ keys: OrderKey[] }>(url, 'GET', '/.well-known/order-keys.json');
  const key = createPublicKey({ key: { ...body.keys.find((candidate) => candidate.kid === kid) }, format: 'jwk' });
  expect(verify(null, Buffer.from(order), key, Buffer.from(signature, 'base64url'))).toBe(true);
  return JSON.parse(order) as Order;
}

/** The first unlock, with a shell and the clients of Mosquitto as the lock. */
async function playFirstUnlock(stage: Stage): Promise<void> {
  const { boot, device, owner, player, url } = stage;
  await player.publish('heartbeat', { boot, uptimeMs: stage.uptimeMs, battery: 83, rssi: -55 });
  await stage.shows('known with its battery', ({ battery, rssi }) => battery === 83 && rssi === -55);

  const sent = await sendCommand(url, owner, device.id, { name: 'unlock_door', payload: { durationMs: 5_000 } });
  expect(sent.status).toBe(202);
  const [signed] = await eventually('the order arrives', () => {
    const orders = player.received<SignedOrder>('commands');
    return orders.length > 0 && orders;
  });
  const order = await readOrder(url, signed ?? { order: '', kid: '', signature: '' });
  expect(order).toMatchObject({
    commandId: sent.body.id,
    name: 'unlock_door',
    payload: { durationMs: 5_000 },
    deviceId: device.id,
    boot,
    counter: 1,
  });
  expect(order.expiresAtUptimeMs).toBeLessThanOrEqual(stage.uptimeMs + 15_000);
  expect(order.expiresAtUptimeMs).toBeGreaterThan(stage.uptimeMs);

  await stage.ack(order.commandId, 'received');
  await stage.command(order.commandId, 'received', ({ state }) => state === 'RECEIVED');
  await stage.ack(order.commandId, 'executed', { lockState: 'unlocked' });
  const executed = await stage.command(order.commandId, 'executed', ({ state }) => state === 'EXECUTED');
  expect(executed).toMatchObject({ confirmedBy: 'ack', result: { lockState: 'unlocked' } });

  const moved = { lockState: 'unlocked', commandId: order.commandId, cause: 'command' };
  const report = (seq: number, type: string, data: Body): Body => ({ seq, boot, type, uptimeMs: stage.uptimeMs, data });
  await player.publish('events', [
    report(2, 'door_status_changed', moved),
    report(3, 'motion_detected', { zone: 'porch' }),
  ]);
  await eventually('the receipt covers both events', () =>
    player.received<{ boot: string; seq: number }>('receipts').some(({ seq }) => seq === 3),
  );
  expect(player.received('receipts').at(-1)).toEqual({ boot, seq: 3 });
  await stage.command(order.commandId, 'confirmed by the report', ({ confirmedBy }) => confirmedBy === 'state_report');
  await stage.shows('unlocked', ({ lockState }) => lockState === 'unlocked');

  // Read forward, the log ends at the oldest writer still open in the whole cluster.
  const path = `/api/v1/devices/${device.id}/events?order=asc`;
  const history = await eventually('the command is settled', async () => {
    const page = await request<{ items: { type: string }[] }>(url, 'GET', path, { token: owner.accessToken });
    return page.body.items.some(({ type }) => type === 'motion_detected') && page;
  });
  const types = history.body.items.map(({ type }) => type).filter((type) => type !== 'status_changed');
  expect(types).toEqual([
    'device_registered',
    'custom',
    'device_connected',
    'command_created',
    'command_sent',
    'command_received',
    'command_executed',
    'door_status_changed',
    'motion_detected',
  ]);
}

describe('Any MQTT client as a lock, at the embedded broker', () => {
  let installation: Installation;
  let application: ApplicationProcess;
  let stage: Stage;

  beforeAll(async () => {
    installation = await createInstallation();
    application = await ApplicationProcess.start(installation.env);
    const owner = await createAccount(application.url);
    stage = new Stage(application.url, owner, await registerDevice(application.url, owner));
    await stage.enter(application.mqttUrl);
  }, 60_000);

  afterAll(async () => {
    await application.stop();
    await installation.remove();
  }, 60_000);

  it('takes an order, answers, reports, and gets its receipt', async () => {
    await playFirstUnlock(stage);
  });

  it('is not let in with a wrong token', async () => {
    const impostor = MosquittoDevice.listening(application.mqttUrl, { ...stage.device, token: 'wrong' }, stage.boot);
    await expect(impostor).rejects.toThrow(/not authori[sz]ed|bad user name or password/i);
  });

  it('is offline when it vanishes: the broker publishes its will', async () => {
    await stage.player.vanish();
    await stage.shows('offline', ({ status }) => status === 'offline');
    const refused = await sendCommand(stage.url, stage.owner, stage.device.id, { name: 'unlock_door' });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ code: 'device_offline' });
  });
});

describe('Any MQTT client as a lock, at a Mosquitto server shared by two hardware processes', () => {
  const ORDERS = 20;
  let broker: OperatedMosquitto;
  let installation: Installation;
  let first: ApplicationProcess;
  let second: ApplicationProcess;
  let records: CommandRecords;
  let stage: Stage;
  let stranger: RegisteredDevice;

  beforeAll(async () => {
    broker = await OperatedMosquitto.start();
    installation = await createInstallation(broker.env());
    first = await ApplicationProcess.start(installation.env);
    second = await ApplicationProcess.start({ ...installation.env, ROLES: 'hardware' });
    records = await CommandRecords.open(installation.databaseUrl);
    const owner = await createAccount(first.url);
    stage = new Stage(first.url, owner, await registerDevice(first.url, owner));
    stranger = await registerDevice(first.url, await createAccount(first.url));
    await broker.addAccounts([stage.device, stranger]);
    // Two programs are two connections of one account: that is the other listener's business.
    await stage.enter(broker.backendUrl);
  }, 60_000);

  afterAll(async () => {
    await stage.player.vanish();
    await first.stop();
    await second.stop();
    await records.close();
    await broker.server.stop();
    await installation.remove();
  }, 60_000);

  it('takes an order, answers, reports, and gets its receipt', async () => {
    await playFirstUnlock(stage);
  });

  it('is given each order once, although two processes dispatch', async () => {
    const before = stage.player.received('commands').length;
    for (let count = 1; count <= ORDERS; count += 1) {
      const name = count % 2 === 0 ? 'unlock_door' : 'lock_door';
      const { body } = await sendCommand(stage.url, stage.owner, stage.device.id, { name });
      await eventually(
        `order ${String(count)} arrives`,
        () => stage.player.received('commands').length >= before + count,
      );
      await stage.ack(body.id, 'executed');
      await stage.command(body.id, 'executed', ({ state }) => state === 'EXECUTED');
    }
    const ids = stage.player
      .received<SignedOrder>('commands')
      .map(({ order }) => (JSON.parse(order) as Order).commandId);
    const entries = await records.entries();
    expect(ids).toEqual(entries.map(({ id }) => id));
    expect(entries.map(({ attempts }) => attempts)).toEqual(entries.map(() => 1));
  });

  it('is received by one of the processes each time, and by both in turn', () => {
    // Of this device: what the hardware processes publish to themselves, to see that they are heard, goes the same way.
    const delivery = new RegExp(`Sending PUBLISH to (mortise-line-\\S+) .*'v1/devices/${stage.device.id}/acks'`, 'g');
    const deliveries = [...broker.server.log().matchAll(delivery)].map(([, client]) => client);
    expect(new Set(deliveries).size).toBe(2);
    // Two acks of the first unlock, one for each order since.
    expect(deliveries).toHaveLength(2 + ORDERS);
  });

  it('cannot publish for another device: the access list drops it', async () => {
    const boot = randomBytes(16).toString('base64url');
    await stage.player.publishTo(`v1/devices/${stranger.id}/status`, { online: true, boot, uptimeMs: 1 });
    const denied = new RegExp(`Denied PUBLISH from ${stage.device.id}-pub .*v1/devices/${stranger.id}/status`);
    await eventually('Mosquitto says that it dropped it', () => denied.test(broker.server.log()));
    await expect(
      MosquittoDevice.listening(broker.backendUrl, { ...stranger, token: stage.device.token }, boot),
    ).rejects.toThrow(/not authori[sz]ed/i);
  });
});
