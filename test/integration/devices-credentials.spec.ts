/** Tokens of devices: rotation with an overlap, revocation, and what becomes of the connections of those that end. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hardwareKey } from '../../src/features/devices/domain/hardware-key.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { closedAfter, CLOSED_WITHIN_MS, CredentialsFixture } from '../support/credentials.fixture.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import type { Answer } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface Renewed {
  deviceToken: string;
}

const END_OVERLAP = 'UPDATE device_credentials SET expires_at = now() WHERE device_id = $1 AND expires_at IS NOT NULL';

let fixture: CredentialsFixture;
let application: TestApp;
let owner: InsertedAccount;
let ask: CredentialsFixture['ask'];

beforeAll(async () => {
  fixture = await CredentialsFixture.start();
  ({ application, owner, ask } = fixture);
}, 60_000);

afterAll(() => fixture.stop());

describe('A token is rotated', () => {
  it('and the older ones are good until the overlap ends, when their connections do', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.connect(application.mqttUrl, device);
    const rotate = (
      body: object,
      headers = {},
    ): Promise<Answer<{ deviceToken: string | null; olderUntil: string | null }>> =>
      ask(owner, 'POST', `/${device.id}/token/rotate`, body, headers);
    const key = { 'idempotency-key': randomUUID() };
    const first = await rotate({}, key);
    expect((await rotate({}, key)).body).toEqual({ deviceId: device.id, deviceToken: null, olderUntil: null });
    const hours = (Date.parse(first.body.olderUntil ?? '') - Date.now()) / 3_600_000;
    expect([hours > 0.9, hours < 1.1]).toEqual([true, true]);
    const newer = { id: device.id, token: first.body.deviceToken ?? '' };
    expect([await fixture.connects(device), await fixture.connects(newer)]).toEqual([true, true]);
    const kept = await ScriptedDevice.connect(application.mqttUrl, newer, { clientId: 'kept' });
    // The end comes by itself: no signal tells of it.
    await application.rows(END_OVERLAP, [device.id]);
    expect(await closedAfter(line)).toBeLessThan(CLOSED_WITHIN_MS);
    expect([await fixture.connects(device), await fixture.connects(newer), kept.client.connected]).toEqual([
      false,
      true,
      true,
    ]);
    const last = await rotate({ overlapSeconds: 0 });
    expect(last.body.olderUntil).toBeNull();
    expect(await closedAfter(kept)).toBeLessThan(CLOSED_WITHIN_MS);
    expect([
      await fixture.connects(newer),
      await fixture.connects({ id: device.id, token: last.body.deviceToken ?? '' }),
    ]).toEqual([false, true]);
    for (const overlapSeconds of [-1, 604_801, 1.5, '60', null]) {
      expect((await rotate({ overlapSeconds })).status).toBe(400);
    }
  });

  it('again and again without piling up', async () => {
    const device = await registerDevice(application.url, owner);
    for (let turn = 0; turn < 7; turn++) {
      await ask(owner, 'POST', `/${device.id}/token/rotate`, { overlapSeconds: 604_800 });
    }
    const valid = 'SELECT 1 FROM device_credentials WHERE device_id = $1 AND revoked_at IS NULL';
    expect(await application.rows(valid, [device.id])).toHaveLength(5);
  });
});

/** How a token ends while its device gets another one. @returns the new one */
const ENDINGS: readonly ((id: string) => Promise<string>)[] = [
  async (id) => (await ask<Renewed>(owner, 'POST', `/${id}/token/rotate`, { overlapSeconds: 0 })).body.deviceToken,
  async (id) => {
    const { body } = await ask<Renewed>(owner, 'POST', `/${id}/token/rotate`, {});
    await application.rows(END_OVERLAP, [id]);
    return body.deviceToken;
  },
  async (id) =>
    (await fixture.activate(id, await fixture.newCode(id), `2001:db8:${id.slice(0, 4)}::1`)).body.deviceToken,
];

it('a connection whose token ended leaves no link that takes orders', async () => {
  const shown = async ({ id }: RegisteredDevice): Promise<unknown[]> => {
    const sql = `SELECT status, ARRAY(SELECT kind::text FROM device_links WHERE device_id = d.id) AS links, ARRAY(
        SELECT concat_ws(' ', type, payload->>'reason') FROM events WHERE device_id = d.id AND type LIKE '%connected' ORDER BY xid, id
      ) AS comings FROM devices d WHERE id = $1`;
    const [row] = await application.rows<{ status: string; links: string[]; comings: string[] }>(sql, [id]);
    return [row?.status, row?.links, row?.comings];
  };
  const ended = async (end: (id: string) => Promise<string>): Promise<void> => {
    const register = (): Promise<RegisteredDevice> => registerDevice(application.url, owner);
    const [away, back, boot] = [await register(), await register(), randomUUID()];
    const bear = (device: RegisteredDevice) => ScriptedDevice.born(application.mqttUrl, device, boot);
    const [gone, older] = [await bear(away), await bear(back)];
    for (const device of [away, back]) {
      await eventually('it is online', async () => (await shown(device))[0] === 'online');
    }
    const [closed, replaced] = [closedAfter(gone), older.closed()];
    const [token] = await Promise.all([end(back.id), end(away.id)]);
    await replaced;
    const newer = await bear({ id: back.id, token });
    expect(await closed).toBeLessThan(CLOSED_WITHIN_MS);
    await eventually('it is offline', async () => (await shown(away))[0] === 'offline', 1_000);
    expect(await shown(away)).toEqual(['offline', [], ['device_connected', 'device_disconnected token_ended']]);
    const key = { 'idempotency-key': randomUUID() };
    const order = await ask(owner, 'POST', `/${away.id}/commands`, { name: 'unlock_door' }, key);
    expect([order.status, order.body.code]).toEqual([409, 'device_offline']);
    // The other one was back at once with its new token and the same boot.
    expect([...(await shown(back)), newer.client.connected]).toEqual(['online', ['mqtt'], ['device_connected'], true]);
    await newer.end();
  };
  await Promise.all(ENDINGS.map(ended));
});

describe('Revocation', () => {
  it('ends every token and code, and the device is offline at once', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
    const status = async (): Promise<unknown> => (await ask(owner, 'GET', `/${device.id}`)).body.status;
    await eventually('it is online', async () => (await status()) === 'online');
    const code = await fixture.newCode(device.id);
    const closed = closedAfter(line);
    expect((await ask(owner, 'POST', `/${device.id}/token/revoke`)).status).toBe(204);
    expect(await closed).toBeLessThan(CLOSED_WITHIN_MS);
    expect([await status(), await fixture.connects(device)]).toEqual(['offline', false]);
    expect((await fixture.activate(device.id, code)).status).toBe(422);
    // It comes back by a rotation, or by a new code.
    const rotated = await ask<Renewed>(owner, 'POST', `/${device.id}/token/rotate`, {});
    expect(await fixture.connects({ id: device.id, token: rotated.body.deviceToken })).toBe(true);
    const { body } = await fixture.activate(device.id, await fixture.newCode(device.id));
    expect(await fixture.connects({ id: device.id, token: body.deviceToken })).toBe(true);
  });
});

it('hardware ids are compared by the database as by the application', async () => {
  const spellings = ['aa:bb', 'AA-BB', 'a_a.b b', 'SN 12', 'x--..__  y'];
  const rows = await application.rows<{ key: string }>(
    'SELECT hardware_key(s) AS key FROM unnest($1::text[]) WITH ORDINALITY AS t(s, place) ORDER BY place',
    [spellings],
  );
  expect(rows.map(({ key }) => key)).toEqual(spellings.map(hardwareKey));
});
