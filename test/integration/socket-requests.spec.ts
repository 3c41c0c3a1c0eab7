/**
 * What dashboards ask over sockets. Seen to fail: with a command whose failure is not audited, whose key holds for sockets alone, or
 * that does not look at the session in PostgreSQL; with a replay of what is heard already; with a socket that is sent away by what
 * was decided before it joined again.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SocketAck } from '../../src/contracts/realtime.js';
import type { Command } from '../../src/features/commands/commands.types.js';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import { SignalBus } from '../../src/platform/redis/signal-bus.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { sendCommand } from '../support/devices.fixture.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { share } from '../support/two-tenants.js';
import { eventually } from '../support/wait.js';

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let door: { id: string; token: string };
let line: ScriptedDevice;
const open: Dashboard[] = [];

beforeAll(async () => {
  // Unlocks have their own limit, at its true height.
  fixture = await OrganizationsFixture.start({ RATE_LIMIT_SCALE: '1', RATE_LIMIT_DEVICE: '1000/1m' });
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
  door = await fixture.registerDevice(ada);
  line = await ScriptedDevice.born(fixture.application.mqttUrl, door, randomUUID());
  await eventually('the door is online', async () => {
    const { body } = await fixture.request<{ status: string }>(ada, 'GET', `/devices/${door.id}`);
    return body.status === 'online';
  });
});

afterEach(async () => {
  open.splice(0).forEach((dashboard) => {
    dashboard.close();
  });
  await line.end();
});

async function connect(who: InsertedAccount, lastCursor?: string): Promise<Dashboard> {
  const dashboard = await Dashboard.signedIn(fixture.application.url, who.accessToken, lastCursor);
  open.push(dashboard);
  return dashboard;
}

const codeOf = (answer: SocketAck): string => ('error' in answer ? answer.error.code : 'ok');

/** @returns its version: what is heard of it has that */
async function rename(deviceId: string, who = ada): Promise<number> {
  const { body } = await fixture.request<{ version: number }>(who, 'PATCH', `/devices/${deviceId}`, {
    room: randomUUID(),
  });
  return body.version;
}

const changesOf = ({ received }: Dashboard, deviceId: string): number[] =>
  received
    .filter(({ message }) => message.type === 'device_updated' && message.deviceId === deviceId)
    .map(({ message }) => message.version);

describe('send_command', () => {
  const lock = (key: string = randomUUID(), name = 'lock_door') => ({ deviceId: door.id, name, idempotencyKey: key });

  it('sends what REST sends: answered alike, audited alike, and done once by either way', async () => {
    const dashboard = await connect(ada);
    const key = randomUUID();
    const answer = await dashboard.request('send_command', { ...lock(key), payload: {} });
    expect(codeOf(answer)).toBe('ok');
    const { command } = answer as { command: Command };
    const again = await sendCommand(fixture.application.url, ada, door.id, { name: 'lock_door', payload: {} }, { key });
    expect(again.body.id).toBe(command.id);
    expect(Object.keys(again.body).sort()).toEqual(Object.keys(command).sort());
    expect(codeOf(await dashboard.request('send_command', lock(key, 'unlock_door')))).toBe('idempotency_key_reused');
    const entries = await fixture.sql.rows<{ actor: string; session_id: string; address: string }>(
      `SELECT actor, session_id, address, request_id FROM audit_entries
        WHERE action = 'command_created' AND outcome = 'success' AND entity_id = $1`,
      [command.id],
    );
    expect(entries).toMatchObject([{ actor: `user:${ada.id}`, session_id: ada.sessionId }]);
    expect(entries[0]?.address).not.toBe(null);
    await line.waitForOrder();
  });

  it('takes the permission that the command takes, and records who tried without', async () => {
    const { url } = fixture.application;
    const stranger = await connect(await fixture.createAccount('stranger'));
    expect(codeOf(await stranger.request('send_command', lock()))).toBe('not_found');
    const viewer = await connect(grace);
    const shareId = await share(url, ada, door, grace.email, { permission: 'view' });
    expect(codeOf(await viewer.request('send_command', lock()))).toBe('forbidden');
    await fixture.request(ada, 'PATCH', `/devices/${door.id}/shares/${shareId}`, { permission: 'control' });
    expect(codeOf(await viewer.request('send_command', lock()))).toBe('ok');
    expect(codeOf(await viewer.request('send_command', lock(randomUUID(), 'restart_device')))).toBe('forbidden');
    const failures = await fixture.sql.rows<{ code: string }>(
      `SELECT code FROM audit_entries WHERE action = 'command_created' AND outcome = 'failure' AND entity_id = $1 ORDER BY id`,
      [door.id],
    );
    expect(failures.map(({ code }) => code)).toEqual(['not_found', 'forbidden', 'forbidden']);
  });

  it('counts unlocks with those over HTTP, and no repeat', async () => {
    const dashboard = await connect(ada);
    const { url } = fixture.application;
    const key = randomUUID();
    expect(codeOf(await dashboard.request('send_command', lock(key, 'unlock_door')))).toBe('ok');
    for (let n = 0; n < 7; n += 1) {
      await sendCommand(url, ada, door.id, { name: 'unlock_door' });
      expect(codeOf(await dashboard.request('send_command', lock(randomUUID(), 'unlock_door')))).not.toBe(
        'rate_limited',
      );
    }
    expect(codeOf(await dashboard.request('send_command', lock(randomUUID(), 'unlock_door')))).toBe('rate_limited');
    expect((await sendCommand(url, ada, door.id, { name: 'unlock_door' })).status).toBe(429);
    expect(codeOf(await dashboard.request('send_command', lock(key, 'unlock_door')))).toBe('ok');
  });

  it('opens nothing for a session that has ended, although nobody told this process', async () => {
    const dashboard = await connect(ada);
    await fixture.sql.rows(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'revoked' WHERE id = $1`, [
      ada.sessionId,
    ]);
    const answer = await dashboard.request('send_command', lock(randomUUID(), 'unlock_door'));
    expect(codeOf(answer)).toBe('session_ended');
  });
});

describe('request_device_status', () => {
  it('answers as REST does, to who may see the device', async () => {
    const dashboard = await connect(ada);
    const { body } = await fixture.request(ada, 'GET', `/devices/${door.id}`);
    const answer = await dashboard.request('request_device_status', { deviceId: door.id.toUpperCase() });
    expect(answer).toEqual({ ok: true, device: body });
    expect(codeOf(await (await connect(grace)).request('request_device_status', { deviceId: door.id }))).toBe(
      'not_found',
    );
  });
});

describe('join_organization', () => {
  it('adds the devices of an organization that was joined later; repeats change nothing, strangers are told nothing', async () => {
    const { id: organizationId } = await fixture.createOrganization(ada);
    const later = await fixture.registerDevice(ada);
    const dashboard = await connect(grace);
    expect(codeOf(await dashboard.request('join_organization', { organizationId }))).toBe('not_found');
    await fixture.addMember(grace, 'VIEWER', organizationId);
    for (const spelling of [organizationId, organizationId.toUpperCase()]) {
      expect(await dashboard.request('join_organization', { organizationId: spelling })).toEqual({ ok: true });
    }
    await fixture.request(ada, 'PATCH', `/devices/${later.id}`, { organizationId });
    const version = await rename(later.id);
    await eventually('she hears it', () => changesOf(dashboard, later.id).includes(version));
    expect(changesOf(dashboard, later.id).filter((heard) => heard === version)).toHaveLength(1);
    const entries = await fixture.sql.rows(
      `SELECT 1 FROM audit_entries WHERE action = 'organization_watched' AND entity_id = $1 AND actor = $2`,
      [organizationId, `user:${grace.id}`],
    );
    expect(entries).toHaveLength(1);
  });

  it('is not undone by an event that was judged before she was a member again', async () => {
    const { id: organizationId } = await fixture.createOrganization(ada);
    await fixture.request(ada, 'PATCH', `/devices/${door.id}`, { organizationId });
    await fixture.addMember(grace, 'VIEWER', organizationId);
    const [dashboard, hers] = [await connect(grace), await connect(ada)];
    await fixture.sql.rows('DELETE FROM memberships WHERE user_id = $1', [grace.id]);
    fixture.application.get(SignalBus).publish('organization_access_changed', { organizationId });
    const access = fixture.application.get(DeviceAccessService);
    const real = access.visibilityOf.bind(access);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const spy = jest.spyOn(access, 'visibilityOf').mockImplementationOnce(async (pairs) => {
      const answer = await real(pairs);
      await held;
      return answer;
    });
    await rename(door.id);
    await eventually('it is judged', () => spy.mock.calls.length === 1);
    await fixture.addMember(grace, 'VIEWER', organizationId);
    fixture.application.get(SignalBus).publish('organization_access_changed', { organizationId });
    expect(await dashboard.request('join_organization', { organizationId })).toEqual({ ok: true });
    release();
    spy.mockRestore();
    const version = await rename(door.id);
    await eventually('Ada hears the second', () => changesOf(hers, door.id).includes(version));
    await eventually('so does Grace', () => changesOf(dashboard, door.id).includes(version));
  });
});

describe('subscribe_device with a cursor', () => {
  it('sends what the device did since, once, in order, and before its answer', async () => {
    await share(fixture.application.url, ada, door, grace.email);
    const before = await connect(grace);
    await before.request('subscribe_device', { deviceId: door.id });
    const first = await rename(door.id);
    const { message } = await before.expect('the first', ({ message: { version } }) => version === first);
    before.close();
    const missed = [await rename(door.id), await rename(door.id), await rename(door.id)];
    await fixture.registerDevice(grace);
    const after = await connect(grace, message.cursor);
    const answer = await after.request('subscribe_device', { deviceId: door.id, lastCursor: message.cursor });
    expect(answer).toEqual({ ok: true, cursor: expect.any(String) });
    expect(changesOf(after, door.id)).toEqual(missed);
    const live = await rename(door.id);
    await eventually('what follows', () => changesOf(after, door.id).includes(live));
    expect(changesOf(after, door.id)).toEqual([...missed, live]);
    // Her own are not sent again with the device's.
    expect(after.received.filter(({ message: { type } }) => type === 'device_registered')).toHaveLength(1);
    // Everything up to the cursor of the answer was sent.
    const { cursor } = answer as { cursor: string };
    const last = await connect(grace, cursor);
    await last.request('subscribe_device', { deviceId: door.id, lastCursor: cursor });
    expect(changesOf(last, door.id)).toEqual([live]);
  });

  it('sends nothing twice of what is heard already, and asks to read again where the cursor is unknown', async () => {
    const { id: organizationId } = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'VIEWER', organizationId);
    await fixture.request(ada, 'PATCH', `/devices/${door.id}`, { organizationId });
    const [dashboard, hers] = [await connect(grace), await connect(ada)];
    const version = await rename(door.id);
    const { message } = await hers.expect('it', ({ message: { version: heard } }) => heard === version);
    await rename(door.id);
    const last = await rename(door.id);
    await eventually('the last', () => changesOf(dashboard, door.id).includes(last));
    for (const each of [dashboard, hers]) {
      const before = changesOf(each, door.id);
      await each.request('subscribe_device', { deviceId: door.id, lastCursor: message.cursor });
      expect(changesOf(each, door.id)).toEqual(before);
    }
    const guest = await fixture.createAccount('guest');
    await share(fixture.application.url, ada, door, guest.email);
    const theirs = await connect(guest);
    await theirs.request('subscribe_device', { deviceId: door.id, lastCursor: 'no-cursor' });
    expect(theirs.resyncs).toMatchObject([{ deviceId: door.id }]);
  });
});
