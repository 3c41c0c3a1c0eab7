/** What a device is set to: desired, published and kept by the broker, confirmed; two people at once, and a device that is gone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeviceSettingsService } from '../../src/features/device-settings/device-settings.service.js';
import { SettingsPublisher } from '../../src/features/device-settings/settings-publisher.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { SignalBus } from '../../src/platform/redis/signal-bus.js';
import { deviceTopic, type SettingsMessage } from '../../src/contracts/mqtt.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { scaled } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

interface Body extends Record<string, unknown> {
  readonly version: number;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}
type Device = Awaited<ReturnType<OrganizationsFixture['registerDevice']>>;

const ROUNDS = scaled(8, 1_000);

let fixture: OrganizationsFixture;
let ada: InsertedAccount;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
  ada = await fixture.createAccount('ada');
});

afterAll(() => fixture.stop());

const path = ({ id }: { id: string }): string => `/devices/${id}/settings`;
const read = (device: { id: string }, who = ada) => fixture.request<Body>(who, 'GET', path(device));
const patch = (device: { id: string }, body: unknown, headers: Record<string, string> = {}, who = ada) =>
  fixture.request<Body>(who, 'PATCH', path(device), body, headers);

const heard = (line: ScriptedDevice): { message: SettingsMessage | null; retained: boolean }[] =>
  line.received
    .filter(({ topic }) => topic === deviceTopic(line.id, 'settings'))
    .map(({ payload, retained }) => ({
      message: payload === '' ? null : (JSON.parse(payload) as SettingsMessage),
      retained,
    }));

async function hears(line: ScriptedDevice, version: number): Promise<SettingsMessage> {
  return eventually(`settings in version ${String(version)}`, () => {
    const last = heard(line).at(-1)?.message;
    return last?.version === version && last;
  });
}

async function confirm(line: ScriptedDevice, seq: number, data: object): Promise<void> {
  const event = { seq, boot: line.boot, type: 'settings_updated', data };
  await line.publishRaw(deviceTopic(line.id, 'events'), JSON.stringify(event));
  await line.receipt(line.boot, seq);
}

describe('The settings of a device', () => {
  it('are merged, in versions, and audited', async () => {
    const device = await fixture.registerDevice(ada);
    expect((await read(device)).body).toEqual({
      desired: {},
      version: 0,
      reported: null,
      reportedVersion: null,
      reportedAt: null,
      delta: {},
      inSync: true,
      updatedAt: null,
    });
    const first = await patch(device, { settings: { autoLockTimeoutMs: 5_000, custom: { led: true, zone: 'a' } } });
    expect([first.status, first.body.version]).toEqual([200, 1]);
    const second = await patch(device, {
      version: 1,
      settings: { notificationsEnabled: false, custom: { zone: null } },
    });
    expect(second.body).toMatchObject({
      version: 2,
      desired: { autoLockTimeoutMs: 5_000, notificationsEnabled: false, custom: { led: true } },
      inSync: false,
    });
    expect((await patch(device, { settings: { notificationsEnabled: false } })).body.version).toBe(2);
    const third = await patch(device, { settings: { autoLockTimeoutMs: null, custom: { led: null } } });
    expect(third.body.desired).toEqual({ notificationsEnabled: false });
    const entries = await fixture.sql.rows(
      `SELECT before, after FROM audit_entries WHERE entity_id = $1 AND action = 'device_settings_changed' ORDER BY id`,
      [device.id],
    );
    expect(entries).toHaveLength(4);
    expect(entries[3]).toMatchObject({ after: { notificationsEnabled: false } });
  });

  it.each<[unknown, string, string]>([
    [{ autoLockTimeoutMs: 999 }, '/settings/autoLockTimeoutMs', 'between 1000 and 3600000'],
    [{ autoLockTimeoutMs: '5000' }, '/settings/autoLockTimeoutMs', 'whole number'],
    [{ autolockTimeout: 5_000 }, '/settings/autolockTimeout', 'did you mean `autoLockTimeoutMs`?'],
    [{ captureMode: 'manual' }, '/settings/captureMode', 'not a setting of a device of the type door_lock'],
    [{ notificationsEnabled: 1 }, '/settings/notificationsEnabled', 'true or false'],
    [{ custom: 'x' }, '/settings/custom', 'must be an object'],
    [{ custom: { 'a b': 1 } }, '/settings/custom/a b', 'must have a name'],
    [{ custom: { a: {} } }, '/settings/custom/a', 'must be text'],
    [{ lock: true }, '/settings/lock', 'is not a setting'],
    [{ toString: 1 }, '/settings/toString', 'not known here'],
    ['x', '/settings', 'must be an object'],
  ])('refuse %j', async (settings, pointer, detail) => {
    const device = await fixture.registerDevice(ada);
    const { status, body } = await patch(device, { settings });
    expect([status, body.errors]).toEqual([400, [{ pointer, detail: expect.stringContaining(detail) }]]);
    expect((await read(device)).body.version).toBe(0);
  });

  it('refuse a custom map that grows beyond its bounds', async () => {
    const device = await fixture.registerDevice(ada);
    const many = (letter: string) => Object.fromEntries(Array.from({ length: 11 }, (_, n) => [letter + String(n), n]));
    expect((await patch(device, { settings: { custom: many('a') } })).status).toBe(200);
    const { status, body } = await patch(device, { settings: { custom: many('b') } });
    expect([status, body.errors[0]?.pointer]).toEqual([400, '/settings/custom']);
  });

  it('change only in the version that is named: 409 by the body, 412 by If-Match', async () => {
    const device = await fixture.registerDevice(ada);
    const { headers } = await patch(device, { settings: { autoLockTimeoutMs: 1_000 }, version: 0 });
    const late = await patch(device, { settings: { autoLockTimeoutMs: 2_000 }, version: 0 });
    expect([late.status, late.body.code]).toEqual([409, 'settings_changed']);
    const tag = String(headers.get('etag'));
    expect((await patch(device, { settings: { autoLockTimeoutMs: 3_000 } }, { 'if-match': tag })).status).toBe(200);
    const again = await patch(device, { settings: { autoLockTimeoutMs: 4_000 } }, { 'if-match': tag });
    expect([again.status, again.body.code]).toEqual([412, 'settings_precondition_failed']);
  });

  it('are of those who see the device, and changed by those who administer it', async () => {
    const device = await fixture.registerDevice(ada);
    const [stranger, operator] = [await fixture.createAccount('stranger'), await fixture.createAccount('operator')];
    const organization = await fixture.createOrganization(ada);
    await fixture.addMember(operator, 'OPERATOR', organization.id);
    const body = { settings: { autoLockTimeoutMs: 1_000 } };
    expect([(await read(device, stranger)).status, (await patch(device, body, {}, stranger)).status]).toEqual([
      404, 404,
    ]);
    expect((await read(device, operator)).status).toBe(404);
    await fixture.request(ada, 'PATCH', `/devices/${device.id}`, { organizationId: organization.id });
    expect([(await read(device, operator)).status, (await patch(device, body, {}, operator)).status]).toEqual([
      200, 403,
    ]);
    expect((await read({ id: randomUUID() })).status).toBe(404);
    expect((await read(device)).body.version).toBe(0);
  });

  /** Seen to fail without the lock and the version in the UPDATE. */
  it(`of ${String(ROUNDS)} pairs of people who change them at the same instant, one does`, async () => {
    const device = await fixture.registerDevice(ada);
    const outcomes: string[] = [];
    for (let version = 0; version < ROUNDS; version++) {
      const change = (n: number) =>
        patch(device, { version, settings: { autoLockTimeoutMs: 1_000 + 2 * version + n } });
      const answers = await Promise.all([change(0), change(1)]);
      outcomes.push(
        answers
          .map(({ status }) => status)
          .sort()
          .join(),
      );
    }
    expect(new Set(outcomes)).toEqual(new Set(['200,409']));
    expect((await read(device)).body.version).toBe(ROUNDS);
  });
});

describe('A device', () => {
  const connect = (device: Device, boot = randomUUID()): Promise<ScriptedDevice> =>
    ScriptedDevice.born(fixture.application.mqttUrl, device, boot);

  it('gets its settings at once, kept by the broker, and again at its birth; and confirms them', async () => {
    const device = await fixture.registerDevice(ada);
    const line = await connect(device);
    await patch(device, { settings: { autoLockTimeoutMs: 5_000, custom: { led: true } } });
    expect((await hears(line, 1)).settings).toEqual({ autoLockTimeoutMs: 5_000, custom: { led: true } });
    await confirm(line, 1, { version: 1, settings: { custom: { led: true } } });
    expect((await read(device)).body).toMatchObject({
      reported: { custom: { led: true } },
      reportedVersion: 1,
      delta: { autoLockTimeoutMs: 5_000 },
      inSync: false,
    });
    await confirm(line, 2, { version: 1 });
    expect((await read(device)).body).toMatchObject({
      reported: { autoLockTimeoutMs: 5_000 },
      delta: {},
      inSync: true,
    });
    // A version that was never given, an older one, and one that is none: none of them is believed.
    await patch(device, { settings: { autoLockTimeoutMs: null } });
    await confirm(line, 3, { version: 3, settings: { x: 1 } });
    await confirm(line, 4, { version: 0, settings: { x: 1 } });
    await confirm(line, 5, { version: 'x', settings: { x: 1 } });
    expect((await read(device)).body).toMatchObject({ reportedVersion: 1, inSync: false, delta: {} });
    const { body } = await fixture.request<{ items: { type: string }[] }>(
      ada,
      'GET',
      `/devices/${device.id}/events?type=settings_updated`,
    );
    expect(body.items).toHaveLength(5);
    line.cut();

    const again = await connect(device);
    await hears(again, 2);
    await eventually('the kept message and that of the birth', () => heard(again).length >= 2);
    expect(heard(again)[0]).toEqual({ message: { version: 2, settings: { custom: { led: true } } }, retained: true });
    again.cut();
  });

  it('gets what a lost signal left by the sweep, and nothing of what was cleared', async () => {
    const device = await fixture.registerDevice(ada);
    const line = await connect(device);
    const { application } = fixture;
    const signals = application.get(SignalBus);
    const publish = signals.publish.bind(signals);
    signals.publish = () => undefined;
    await patch(device, { settings: { autoLockTimeoutMs: 5_000 } });
    signals.publish = publish;
    expect(heard(line)).toEqual([]);
    await application.get(SettingsPublisher).sweep();
    await hears(line, 1);
    const settings = application.get(DeviceSettingsService);
    await application.get(Transactions).run(() => settings.clear(device.id));
    expect((await hears(line, 2)).settings).toEqual({});
    expect((await read(device)).body).toMatchObject({ desired: {}, version: 2, reported: null, inSync: true });
    line.cut();
  });

  it('that is deleted leaves nothing at the broker', async () => {
    const device = await fixture.registerDevice(ada);
    const line = await connect(device);
    await patch(device, { settings: { autoLockTimeoutMs: 5_000 } });
    await hears(line, 1);
    await fixture.request(ada, 'DELETE', `/devices/${device.id}`);
    await eventually('the settings are forgotten', async () => {
      const rows = await fixture.sql.rows('SELECT FROM device_settings WHERE id = $1', [device.id]);
      return rows.length === 0;
    });
    const listener = await fixture.registerDevice(ada);
    // In the place of the deleted device, to see what the broker still has for it.
    await fixture.sql.rows('UPDATE devices SET id = $2 WHERE id = $1', [listener.id, device.id]);
    const successor = await connect({ id: device.id, token: listener.token });
    await eventually('it is online', async () => (await read(device)).body.version === 0);
    expect(heard(successor)).toEqual([]);
    successor.cut();
  });
});
