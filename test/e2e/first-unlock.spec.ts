import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keysFromUrl } from '../../tools/virtual-lock/key-ring.js';
import { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { DiagnosticsService } from '../../src/features/presence/diagnostics/diagnostics.service.js';
import { RejectedMessages } from '../../src/platform/mqtt/rejected-messages.js';
import { deviceTopic } from '../../src/contracts/mqtt.js';
import { TestApp } from '../support/test-app.js';
import { Dashboard } from '../support/dashboard.js';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

let application: TestApp;
let owner: Account;
let device: RegisteredDevice;
let lock: VirtualLock;

beforeAll(async () => {
  application = await TestApp.start();
  owner = await createAccount(application.url);
  device = await registerDevice(application.url, owner);
  lock = new VirtualLock({
    deviceId: device.id,
    token: device.token,
    url: application.mqttUrl,
    keys: keysFromUrl(`${application.url}/.well-known/order-keys.json`),
    journalPath: join(application.directory, 'lock.ndjson'),
    heartbeatMs: 1_000,
  });
});

afterAll(async () => {
  await lock.stop();
  await application.stop();
});

interface Told {
  link: object | null;
  lastBirth: { at: string } | null;
  subscription: { state: string; at: string | null };
  lastOrder: object | null;
  lastAck: { at: string } | null;
  refusals: { code: string; count: number; detail: string | null; firstSeenAt: string; lastSeenAt: string }[];
}

const diagnosticsOf = (id: string, person = owner): Promise<Answer<Told>> =>
  request<Told>(application.url, 'GET', `/api/v1/devices/${id}/diagnostics`, { token: person.accessToken });

describe('The first unlock', () => {
  it('goes from phone to lock and back, and the history has its events in order', async () => {
    const dashboard = await Dashboard.signedIn(application.url, owner.accessToken);
    await lock.start();
    await dashboard.expect('that the lock is there', ({ event }) => event === 'device_connected');
    await eventually('the device is online', async () => {
      const { body } = await request(application.url, 'GET', `/api/v1/devices/${device.id}`, {
        token: owner.accessToken,
      });
      return body.status === 'online' && body.lockState === 'locked';
    });

    const sent = await sendCommand(application.url, owner, device.id, { name: 'unlock_door' }, { waitSeconds: 10 });
    expect(sent.status).toBe(200);
    expect(sent.headers.get('preference-applied')).toMatch(/wait/);
    expect(sent.body.state).toBe('EXECUTED');
    expect(lock.lockState).toBe('unlocked');
    expect(lock.actuations().filter(({ commandId }) => commandId === sent.body.id)).toHaveLength(1);

    const { message } = await dashboard.expect(
      'that the command was executed',
      ({ message: { type } }) => type === 'command_executed',
    );
    expect(message).toMatchObject({ commandId: sent.body.id, deviceId: device.id });
    await dashboard.expect('that the door is unlocked', ({ event }) => event === 'door_status_changed');
    const confirmed = await eventually('the lock’s own report confirms it', async () => {
      const { body } = await request(application.url, 'GET', `/api/v1/devices/${device.id}/commands/${sent.body.id}`, {
        token: owner.accessToken,
      });
      return body.confirmedBy === 'state_report' && body;
    });
    expect(confirmed).toMatchObject({ state: 'EXECUTED' });

    const history = await request<{ items: { type: string; commandId: string | null }[] }>(
      application.url,
      'GET',
      `/api/v1/devices/${device.id}/events?limit=50`,
      { token: owner.accessToken },
    );
    const types = history.body.items.map(({ type }) => type).reverse();
    expect(types.filter((type) => type.startsWith('command_') || type.startsWith('device_'))).toEqual([
      'device_registered',
      'device_connected',
      'command_created',
      'command_sent',
      'command_received',
      'command_executing',
      'command_executed',
    ]);
    expect(types).toContain('door_status_changed');
    const cursors = dashboard.received.map(({ message: { cursor } }) => cursor);
    expect(new Set(cursors).size).toBe(cursors.length);
    dashboard.close();
  });

  it('is shown by the diagnostics of the lock, to those who may see it', async () => {
    const { body: sent } = await sendCommand(
      application.url,
      owner,
      device.id,
      { name: 'lock_door' },
      { waitSeconds: 10 },
    );
    const { body } = await diagnosticsOf(device.id);
    expect(body.link).toMatchObject({ kind: 'mqtt', boot: lock.bootId });
    expect(body.lastBirth).toMatchObject({ boot: lock.bootId, uptimeMs: expect.any(Number) });
    expect(body.lastOrder).toMatchObject({ commandId: sent.id, name: 'lock_door', attempts: 1, state: 'EXECUTED' });
    expect(body.lastAck).toMatchObject({ commandId: sent.id, state: 'EXECUTED', errorCode: null });
    expect(body.subscription).toEqual({ state: 'subscribed', at: body.lastAck?.at });
    expect(body.refusals).toEqual([]);
    const stranger = await createAccount(application.url, 'stranger');
    expect((await diagnosticsOf(device.id, stranger)).status).toBe(404);
  });

  it('does not come to a device that has not subscribed, and its diagnostics say so until it has', async () => {
    const deaf = await registerDevice(application.url, owner);
    const scripted = await ScriptedDevice.connect(application.mqttUrl, deaf);
    await scripted.listen(['receipts']);
    await scripted.birth();
    const stateOf = async (): Promise<unknown> => (await diagnosticsOf(deaf.id)).body.subscription.state;
    await eventually('it is linked', async () => (await diagnosticsOf(deaf.id)).body.link !== null);
    expect(await stateOf()).toBe('unknown');
    await sendCommand(application.url, owner, deaf.id, { name: 'unlock_door' });
    await eventually('the broker had no subscriber', async () => (await stateOf()) === 'not_subscribed');
    const [refusal] = (await diagnosticsOf(deaf.id)).body.refusals;
    expect(refusal).toMatchObject({ code: 'not_subscribed', detail: expect.stringMatching(/had subscribed/) });

    await scripted.listen(['commands']);
    await scripted.birth();
    await scripted.ack({ commandId: (await scripted.waitForOrder()).commandId, status: 'executed' });
    await eventually('it gets its orders', async () => (await stateOf()) === 'subscribed');
    await scripted.end();
  });

  it('was missed when it was, not when that is written: neither a birth nor an ack since is contradicted', async () => {
    const registered = await registerDevice(application.url, owner);
    const scripted = await ScriptedDevice.connect(application.mqttUrl, registered);
    const miss = async (): Promise<void> => {
      application.get(RejectedMessages).notice('not_subscribed', deviceTopic(scripted.id, 'commands'), 'missed');
      // Longer than a statement may wait for its connection here.
      await pause(250);
    };
    const written = async (): Promise<Told> => {
      await application.get(DiagnosticsService).beforeApplicationShutdown();
      return (await diagnosticsOf(scripted.id)).body;
    };
    await application.get(DiagnosticsService).beforeApplicationShutdown();
    await miss();
    await scripted.listen(['commands']);
    await scripted.birth();
    await eventually('it is linked', async () => (await diagnosticsOf(scripted.id)).body.link !== null);
    const { refusals, lastBirth, subscription } = await written();
    const [first] = refusals;
    expect(subscription.state).toBe('unknown');
    expect(Date.parse(first?.lastSeenAt ?? '')).toBeLessThan(Date.parse(lastBirth?.at ?? ''));
    await miss();
    await sendCommand(application.url, owner, scripted.id, { name: 'lock_door' });
    await scripted.ack({ commandId: (await scripted.waitForOrder()).commandId, status: 'executed' });
    await eventually('it is acked', async () => (await diagnosticsOf(scripted.id)).body.lastAck !== null);
    const acked = await written();
    expect(acked.subscription).toEqual({ state: 'subscribed', at: acked.lastAck?.at });
    expect(acked.refusals).toMatchObject([{ count: 2, firstSeenAt: first?.firstSeenAt }]);
    await scripted.end();
  });

  it('tells a dashboard that returns what it missed, once and in order, and goes on live', async () => {
    const first = await Dashboard.signedIn(application.url, owner.accessToken);
    await sendCommand(application.url, owner, device.id, { name: 'lock_door' }, { waitSeconds: 10 });
    const seen = await first.expect('the verdict', ({ message: { type } }) => type === 'command_executed');
    first.close();

    const missed = await sendCommand(application.url, owner, device.id, { name: 'unlock_door' }, { waitSeconds: 10 });
    const second = await Dashboard.signedIn(application.url, owner.accessToken, seen.message.cursor);
    await second.expect(
      'what it missed',
      ({ message }) => message.commandId === missed.body.id && message.type === 'command_executed',
    );
    const live = await sendCommand(application.url, owner, device.id, { name: 'lock_door' }, { waitSeconds: 10 });
    await second.expect(
      'what happens now',
      ({ message }) => message.commandId === live.body.id && message.type === 'command_executed',
    );

    const commandSteps = second.received
      .filter(({ event }) => event === 'command_status')
      .map(({ message }) => `${String(message.commandId)} ${message.type}`);
    expect(new Set(commandSteps).size).toBe(commandSteps.length);
    expect(commandSteps.filter((step) => step.startsWith(missed.body.id))).toHaveLength(5);
    expect(commandSteps.filter((step) => step.startsWith(live.body.id))).toHaveLength(5);
    second.close();
  });

  it('locks again by itself when the unlock says for how long', async () => {
    const sent = await sendCommand(
      application.url,
      owner,
      device.id,
      { name: 'unlock_door', payload: { durationMs: 1_000 } },
      { waitSeconds: 10 },
    );
    expect(sent.body.state).toBe('EXECUTED');
    await eventually('the bolt is back', () => lock.lockState === 'locked');
    await eventually('the backend knows', async () => {
      const { body } = await request(application.url, 'GET', `/api/v1/devices/${device.id}`, {
        token: owner.accessToken,
      });
      return body.lockState === 'locked';
    });
  });

  it('refuses the access token, the refresh token and the open socket after logout', async () => {
    const dashboard = await Dashboard.signedIn(application.url, owner.accessToken);
    let disconnected = false;
    dashboard.socket.once('disconnect', () => {
      disconnected = true;
    });
    const logout = await request(application.url, 'POST', '/api/v1/auth/logout', { token: owner.accessToken });
    expect(logout.status).toBe(204);

    const me = await request(application.url, 'GET', '/api/v1/users/me', { token: owner.accessToken });
    expect(me.status).toBe(401);
    expect(me.headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token", error_description="The session has ended"',
    );
    expect(me.body).toMatchObject({ code: 'session_ended', status: 401 });
    const refresh = await request(application.url, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: owner.refreshToken },
    });
    expect(refresh.status).toBe(401);
    await eventually('the socket is cut', () => disconnected);
    await expect(Dashboard.signedIn(application.url, owner.accessToken)).rejects.toMatchObject({
      data: { code: 'session_ended' },
    });
  });
});

/** What docs/protocol.md says under "Which broker, which client". */
describe('The embedded broker', () => {
  const connectAs = (options: Parameters<typeof ScriptedDevice.connect>[2]): Promise<ScriptedDevice> =>
    ScriptedDevice.connect(application.mqttUrl, known, options);
  let known: RegisteredDevice;
  beforeAll(async () => {
    known = await registerDevice(application.url, await createAccount(application.url));
  });

  it('speaks MQTT 3.1.1 and 3.1, and refuses 5 by CONNACK code 1', async () => {
    await (await connectAs({ protocolVersion: 4 })).end();
    await (await connectAs({ protocolVersion: 3, protocolId: 'MQIsdp', clientId: 'c'.repeat(91) })).end();
    await expect(
      connectAs({ protocolVersion: 3, protocolId: 'MQIsdp', clientId: 'c'.repeat(92) }),
    ).rejects.toMatchObject({ code: 2 });
    await expect(connectAs({ protocolVersion: 5 })).rejects.toMatchObject({ code: 1 });
  });

  it('takes any client id, four connections without a last will, and one with', async () => {
    const ids = ['', 'x', known.id, 'c'.repeat(1_000)];
    const lines: ScriptedDevice[] = [];
    for (const clientId of ids) {
      lines.push(await connectAs({ clientId }));
    }
    expect(lines.map(({ client }) => client.connected)).toEqual([true, true, true, true]);
    const will = { topic: `v1/devices/${known.id}/status`, payload: Buffer.from('{}'), qos: 1, retain: true } as const;
    const first = await connectAs({ clientId: 'one', will });
    await eventually('the oldest of five is closed', () => lines[0]?.client.connected === false);
    const second = await connectAs({ clientId: 'another', will });
    await eventually('the line before is closed', () => !first.client.connected);
    expect(second.client.connected).toBe(true);
    await Promise.all([...lines, first, second].map((line) => line.end()));
  });

  it('takes events with QoS 0, 1 and 2', async () => {
    const line = await connectAs({});
    await line.listen(['receipts']);
    await line.birth();
    for (const [index, qos] of ([0, 1, 2] as const).entries()) {
      const event = { seq: index + 1, boot: line.boot, type: 'custom', data: {} };
      await line.client.publishAsync(`v1/devices/${known.id}/events`, JSON.stringify(event), { qos });
      await line.receipt(line.boot, index + 1);
    }
    await line.end();
  });
});
