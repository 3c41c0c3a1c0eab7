/**
 * A device changes hands: the new owner accepts and sees nothing older, what the last one had of it ends, and nobody else has a
 * part in it. And it becomes as it was when it was new.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount, uniqueEmail } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { deviceClient, registerDevice, sendCommand } from '../support/devices.fixture.js';
import { MailServer, tokenIn } from '../support/mail-server.js';
import { type Answer, request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface Accepted {
  device: { id: string; name: string };
  activation: { code: string } | null;
}
interface Page<T> {
  items: T[];
}

let application: TestApp;
let mail: MailServer;
let ada: InsertedAccount;
let grace: InsertedAccount;
let stranger: InsertedAccount;

beforeAll(async () => {
  mail = await MailServer.start();
  application = await TestApp.start({
    env: { REGISTRATION: 'verified', SMTP_URL: mail.url, RATE_LIMIT_SCALE: '1000', MAX_DEVICES_PER_USER: '30' },
  });
}, 60_000);

beforeAll(async () => {
  [ada, grace, stranger] = await Promise.all([
    insertAccount(application, { name: 'ada' }),
    insertAccount(application, { name: 'grace' }),
    insertAccount(application, { name: 'stranger' }),
  ]);
});

afterAll(async () => {
  await application.stop();
  await mail.stop();
});

const ask = deviceClient(() => application.url);

const codeOf = ({ status, body }: Answer<object>): unknown => (body as { code?: string } | undefined)?.code ?? status;
const offer = (who: InsertedAccount, id: string, email: string): Promise<Answer<{ id: string }>> =>
  ask(who, 'POST', `/${id}/transfer`, { email });
const acceptBy = (who: InsertedAccount, id: string): Promise<Answer<Accepted>> =>
  ask(who, 'POST', `/transfers/${id}/accept`, {});

async function activated(who: InsertedAccount): Promise<{ id: string; token: string }> {
  const { id } = await registerDevice(application.url, who);
  const { body } = await ask<{ activation: { code: string } }>(who, 'POST', `/${id}/activation-code`);
  return { id, token: await tokenFor(id, body.activation.code) };
}

async function tokenFor(deviceId: string, code: string | undefined): Promise<string> {
  const body = { deviceId, code };
  const answer = await request<{ deviceToken: string }>(application.url, 'POST', '/api/v1/devices/activate', { body });
  return answer.body.deviceToken;
}

describe('An offer', () => {
  it('goes by mail to whom it is for, with or without an account, and is accepted by its token once', async () => {
    const email = uniqueEmail('newcomer');
    const { id } = await registerDevice(application.url, ada, 'Garden gate');
    const unknown = await offer(ada, id, email);
    const known = await offer(ada, (await registerDevice(application.url, ada)).id, grace.email);
    expect([unknown.status, known.status, Object.keys(unknown.body)]).toEqual([201, 201, Object.keys(known.body)]);
    expect(codeOf(await offer(ada, id, grace.email))).toBe('transfer_pending');
    expect((await ask(ada, 'GET', `/${id}/transfer`)).body).toMatchObject({ deviceId: id, email });
    const letter = await mail.nextTo(email);
    expect(letter.text).toContain('Garden gate');
    const token = tokenIn(letter);
    const newcomer = await insertAccount(application);
    await application.rows('UPDATE users SET email = $2 WHERE id = $1', [newcomer.id, email]);
    // The token alone is no use to another account.
    expect(codeOf(await ask(stranger, 'POST', '/transfers/accept', { token }))).toBe('invalid_transfer');
    expect(codeOf(await ask(stranger, 'POST', '/transfers/decline', { token }))).toBe('invalid_transfer');
    const accepted = await ask<Accepted>(newcomer, 'POST', '/transfers/accept', { token });
    expect(accepted.body).toMatchObject({
      device: { id, name: 'Garden gate', owned: true, room: null, status: 'unknown' },
    });
    expect(codeOf(await ask(newcomer, 'POST', '/transfers/accept', { token }))).toBe('invalid_transfer');
    expect((await ask(ada, 'GET', `/${id}`)).status).toBe(404);
    const kept = await registerDevice(application.url, ada);
    await offer(ada, kept.id, email);
    const second = { token: tokenIn(await mail.nextTo(email)) };
    expect((await ask(newcomer, 'POST', '/transfers/decline', second)).status).toBe(204);
    expect(codeOf(await ask(newcomer, 'POST', '/transfers/accept', second))).toBe('invalid_transfer');
    expect(codeOf(await ask(ada, 'GET', `/${kept.id}/transfer`))).toBe('transfer_not_found');
  });

  it('is seen and answered by whom it is for, and by its owner, and by no stranger', async () => {
    const { id } = await registerDevice(application.url, ada);
    expect(codeOf(await offer(ada, id, ada.email))).toBe('device_already_yours');
    expect((await offer(stranger, id, grace.email)).status).toBe(404);
    const offered = (await offer(ada, id, grace.email)).body;
    const list = async (who: InsertedAccount): Promise<string[]> =>
      (await ask<Page<{ id: string }>>(who, 'GET', '/transfers')).body.items.map((item) => item.id);
    expect(await list(grace)).toContain(offered.id);
    expect([await list(stranger), await list(ada)]).toEqual([[], []]);
    for (const who of [stranger, ada]) {
      expect(codeOf(await acceptBy(who, offered.id))).toBe('transfer_not_found');
      expect(codeOf(await ask(who, 'POST', `/transfers/${offered.id}/decline`, {}))).toBe('transfer_not_found');
    }
    expect((await ask(stranger, 'GET', `/${id}/transfer`)).status).toBe(404);
    expect((await ask(stranger, 'DELETE', `/${id}/transfer`)).status).toBe(404);
    expect((await ask(grace, 'POST', `/transfers/${offered.id}/decline`, {})).status).toBe(204);
    expect(codeOf(await ask(ada, 'GET', `/${id}/transfer`))).toBe('transfer_not_found');
    const second = (await offer(ada, id, grace.email)).body;
    expect((await ask(ada, 'DELETE', `/${id}/transfer`)).status).toBe(204);
    expect(codeOf(await ask(ada, 'DELETE', `/${id}/transfer`))).toBe('transfer_not_found');
    expect(codeOf(await acceptBy(grace, second.id))).toBe('transfer_not_found');
    expect((await ask(ada, 'GET', `/${id}`)).status).toBe(200);
  });

  it('is void when it is old, or its sender or recipient cannot act, or has no room', async () => {
    const { id } = await registerDevice(application.url, ada);
    const { body } = await offer(ada, id, grace.email);
    const during = async (change: string, undo: string): Promise<unknown> => {
      await application.rows(change);
      const code = codeOf(await acceptBy(grace, body.id));
      await application.rows(undo);
      return code;
    };
    const transfer = `WHERE id = '${body.id}'`;
    const blocked = (who: InsertedAccount): [string, string] => [
      `UPDATE users SET blocked_at = now() WHERE id = '${who.id}'`,
      `UPDATE users SET blocked_at = NULL WHERE id = '${who.id}'`,
    ];
    expect(await during(...blocked(ada))).toBe('transfer_not_found');
    const owner = (who: InsertedAccount): string => `UPDATE devices SET owner_id = '${who.id}' WHERE id = '${id}'`;
    expect(await during(owner(stranger), owner(ada))).toBe('transfer_not_found');
    const past = `UPDATE device_transfers SET expires_at = now() ${transfer}`;
    expect(await during(past, past.replace('now()', `now() + interval '1 day'`))).toBe('transfer_not_found');
    const twin = `INSERT INTO devices (id, owner_id, name, hardware_id)
      SELECT '${randomUUID()}', '${grace.id}', 'Twin', lower(replace(hardware_id, '-', ':')) FROM devices WHERE id = '${id}'`;
    expect(await during(twin, `DELETE FROM devices WHERE name = 'Twin'`)).toBe('hardware_id_taken');
    expect((await acceptBy(grace, body.id)).status).toBe(200);
  });
});

describe('After a transfer', () => {
  it('the new owner sees nothing older, and the last one nothing later', async () => {
    const grace = await insertAccount(application);
    const device = await activated(ada);
    const { id } = device;
    const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
    await eventually('it is online', async () => (await ask(ada, 'GET', `/${id}`)).body.status === 'online');
    await line.publish('heartbeat', { boot: line.boot, uptimeMs: 2_000, battery: 87 });
    await line.report(1, { lockState: 'unlocked' });
    await eventually('it is heard', () => line.receipts().some(({ seq }) => seq === 1));
    await ask(ada, 'PATCH', `/${id}`, { room: 'Bedroom of Ada' });
    await line.publishRaw(`v1/devices/${id}/events`, 'no json');
    const sent = await sendCommand(application.url, ada, id, { name: 'lock_door' });
    await eventually('the order is there', () => line.orders.length > 0);
    const queued = await sendCommand(application.url, ada, id, { name: 'lock_door' });
    const { body } = await offer(ada, id, grace.email);
    const closed = line.closed();
    const accepted = await acceptBy(grace, body.id);
    expect(accepted.status).toBe(200);
    await closed;
    expect(accepted.body.device).toMatchObject({
      battery: null,
      lockState: null,
      lastSeenAt: null,
      organizationId: null,
    });
    const events = await ask<Page<{ type: string; payload: object }>>(grace, 'GET', `/${id}/events?limit=200`);
    expect(events.body.items.map(({ type, payload }) => [type, payload])).toEqual([
      ['device_transferred', { name: 'Front door', previousOwnerId: ada.id }],
    ]);
    expect((await ask<Page<object>>(grace, 'GET', `/${id}/commands`)).body.items).toEqual([]);
    for (const command of [sent, queued]) {
      expect((await ask(grace, 'GET', `/${id}/commands/${command.body.id}`)).status).toBe(404);
    }
    const states = await application.rows('SELECT id, state FROM commands WHERE device_id = $1 ORDER BY created_at', [
      id,
    ]);
    expect(states).toEqual([
      { id: sent.body.id, state: 'TIMED_OUT' },
      { id: queued.body.id, state: 'CANCELLED' },
    ]);
    const { body: diagnostics } = await ask<{ refusals: object[] }>(grace, 'GET', `/${id}/diagnostics`);
    expect(diagnostics).toMatchObject({ refusals: [], lastBirth: null, lastOrder: null, link: null });
    for (const path of ['', '/events', '/commands', '/diagnostics', '/qr', '/transfer']) {
      expect((await ask(ada, 'GET', `/${id}${path}`)).status).toBe(404);
    }
    // The seller may have activated it by hand: their token is over, too.
    await expect(ScriptedDevice.connect(application.mqttUrl, device)).rejects.toBeInstanceOf(Error);
    device.token = await tokenFor(id, accepted.body.activation?.code);
    const dashboard = await Dashboard.signedIn(application.url, grace.accessToken);
    const again = await ScriptedDevice.born(application.mqttUrl, device, randomUUID(), {}, 600_000);
    // It kept this since it was Ada's, five minutes ago by its uptime.
    const kept = {
      seq: 1,
      boot: again.boot,
      uptimeMs: 300_000,
      type: 'motion_detected',
      data: { zone: 'Ada' },
    } as const;
    await again.publish('events', kept);
    await again.publish('events', { ...kept, seq: 2, type: 'door_status_changed', data: { doorState: 'open' } });
    await again.report(3, { lockState: 'locked' });
    await dashboard.expect('what happens now', ({ event }) => event === 'door_status_changed');
    expect(dashboard.received.filter(({ event }) => event === 'motion_detected')).toEqual([]);
    dashboard.close();
    expect((await ask(grace, 'GET', `/${id}`)).body).toMatchObject({ doorState: null, lockState: 'locked' });
    await eventually('the new owner sees it', async () =>
      (await ask<Page<{ type: string }>>(grace, 'GET', `/${id}/events`)).body.items.some(
        ({ type }) => type === 'door_status_changed',
      ),
    );
    await again.end();
    const traces = await application.rows(
      `SELECT before->>'ownerId' AS "from", after->>'ownerId' AS "to" FROM audit_entries
       WHERE action = 'device_transferred' AND outcome = 'success' AND entity_id = $1`,
      [id],
    );
    expect(traces).toEqual([{ from: ada.id, to: grace.id }]);
  });

  it('a token that the last owner has seen is over, and so is their activation code', async () => {
    const grace = await insertAccount(application);
    const device = await registerDevice(application.url, ada);
    const { body: seen } = await ask<{ activation: { code: string } }>(ada, 'POST', `/${device.id}/activation-code`);
    const { body } = await offer(ada, device.id, grace.email);
    const key = { 'idempotency-key': randomUUID() };
    const accepted = await ask<Accepted>(grace, 'POST', `/transfers/${body.id}/accept`, {}, key);
    const activate = (code: string): Promise<Answer> =>
      request(application.url, 'POST', '/api/v1/devices/activate', { body: { deviceId: device.id, code } });
    await expect(ScriptedDevice.connect(application.mqttUrl, device)).rejects.toBeInstanceOf(Error);
    expect((await activate(seen.activation.code)).status).toBe(422);
    const again = await ask<Accepted>(grace, 'POST', `/transfers/${body.id}/accept`, {}, key);
    expect([again.status, again.body.activation]).toEqual([200, null]);
    expect((await activate(accepted.body.activation?.code ?? '')).status).toBe(200);
  });
});

describe('A factory reset', () => {
  it('is for the owner, and ends what hangs on the device', async () => {
    const grace = await insertAccount(application);
    const device = await activated(ada);
    const { id } = device;
    const [organization] = await application.rows<{ id: string }>(
      `INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'Home') RETURNING id`,
    );
    await application.rows(
      `INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'OWNER'), ($1, $3, 'MANAGER')`,
      [organization?.id, ada.id, grace.id],
    );
    await ask(ada, 'PATCH', `/${id}`, { organizationId: organization?.id, room: 'Hall', name: 'Mine' });
    await offer(ada, id, grace.email);
    await sendCommand(application.url, ada, id, { name: 'lock_door' });
    expect((await ask(grace, 'POST', `/${id}/factory-reset`)).status).toBe(403);
    expect((await ask(stranger, 'POST', `/${id}/factory-reset`)).status).toBe(404);
    const { status, body } = await ask<{ activation: { code: string } }>(ada, 'POST', `/${id}/factory-reset`);
    expect([status, typeof body.activation.code]).toEqual([200, 'string']);
    const after = (await ask(ada, 'GET', `/${id}`)).body;
    expect(after).toMatchObject({
      name: after.hardwareId,
      room: null,
      organizationId: null,
      status: 'unknown',
      metadata: {},
    });
    expect((await ask(grace, 'GET', `/${id}`)).status).toBe(404);
    expect(codeOf(await ask(ada, 'GET', `/${id}/transfer`))).toBe('transfer_not_found');
    await expect(ScriptedDevice.connect(application.mqttUrl, device)).rejects.toBeInstanceOf(Error);
    const { items } = (await ask<Page<{ state: string }>>(ada, 'GET', `/${id}/commands`)).body;
    expect(items.map(({ state }) => state)).toEqual(['CANCELLED']);
    const sql = `SELECT payload->'changed' AS changed FROM events WHERE device_id = $1 AND type = 'device_updated' ORDER BY xid DESC, id DESC LIMIT 1`;
    const [told] = await application.rows<{ changed: string[] }>(sql, [id]);
    expect(told?.changed).toEqual(
      expect.arrayContaining(['name', 'room', 'location', 'position', 'metadata', 'organizationId', 'token']),
    );
  });
});
