/** A person works on a device: `maintenance` is its status whatever its links do, and what they say counts again afterwards. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InactivityRepository } from '../../src/features/presence/inactivity/inactivity.repository.js';
import { PresenceRepository } from '../../src/features/presence/presence.repository.js';
import { PresenceService } from '../../src/features/presence/presence.service.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { sendCommand } from '../support/devices.fixture.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { SharingFixture } from '../support/sharing.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

interface Page<T> {
  readonly items: readonly T[];
}
interface Told {
  readonly type: string;
  readonly version: number;
  readonly payload: { readonly status?: string; readonly previous?: string };
}

const NOBODY_TOLD = ['device_connected', 'device_disconnected'];

let fixture: SharingFixture;
let holder: Sql;
let presence: PresenceService;
let ada: InsertedAccount;

beforeAll(async () => {
  fixture = await SharingFixture.start({ REGISTRATION: 'verified' });
  holder = await Sql.open(fixture.application.databaseUrl);
  presence = fixture.application.get(PresenceService);
  ada = await fixture.createAccount('ada');
}, 60_000);

afterAll(async () => {
  await holder.end();
  await fixture.stop();
});

const register = async (): Promise<string> => (await fixture.registerDevice(ada)).id;
const work = (id: string, maintenance: unknown, headers = {}, who = ada) =>
  fixture.request(who, 'PATCH', `/devices/${id}`, { maintenance }, headers);
const shown = async (id: string) => (await fixture.request(ada, 'GET', `/devices/${id}`)).body;
const born = (id: string, boot: string): Promise<void> => presence.openLink(id, 'mqtt', { boot, uptimeMs: 1_000 });
const gone = (id: string, boot: string): Promise<void> => presence.closeLink(id, 'mqtt', { boot }, 'will');

/** What was told of a device since it was registered, oldest first: a status as `before > after`. */
async function told(id: string): Promise<string[]> {
  const { body } = await fixture.request<Page<Told>>(ada, 'GET', `/devices/${id}/events?order=asc&limit=100`);
  return body.items
    .slice(1)
    .map(({ type, payload }) =>
      type === 'status_changed' ? `${String(payload.previous)} > ${String(payload.status)}` : type,
    );
}

/** Silent for so long, and without a link. */
async function silentFor(id: string, hours: number): Promise<void> {
  await fixture.sql.rows('DELETE FROM device_links WHERE device_id = $1', [id]);
  await fixture.sql.rows(`UPDATE devices SET last_seen_at = now() - $2 * interval '1 hour' WHERE id = $1`, [id, hours]);
}

describe('A device on which a person works', () => {
  it('is in maintenance whatever its links do, and these are told as they are', async () => {
    const [id, boot] = [await register(), randomUUID()];
    expect((await work(id, true)).body).toMatchObject({ status: 'maintenance', links: [], reachable: false });
    await born(id, boot);
    const there = await shown(id);
    expect(there).toMatchObject({ status: 'maintenance', links: ['mqtt'], reachable: true });
    expect(there.lastSeenAt).not.toBeNull();
    await gone(id, boot);
    await born(id, boot);
    await fixture.sql.rows(
      `UPDATE device_links SET last_seen_at = now() - interval '1 hour', check_at = now() WHERE device_id = $1`,
      [id],
    );
    await presence.closeSilentLinks(100);
    await silentFor(id, 30);
    await fixture.application.get(JobRegistry).get('mark_inactive_devices')({});
    expect(await shown(id)).toMatchObject({ status: 'maintenance', links: [], reachable: false });
    expect(await told(id)).toEqual(['unknown > maintenance', 'device_updated', ...NOBODY_TOLD, ...NOBODY_TOLD]);
  });

  it('gets its orders as ever, and every place that counts or lists agrees', async () => {
    const device = await fixture.registerDevice(ada);
    const line = await ScriptedDevice.born(fixture.application.mqttUrl, device, randomUUID());
    await eventually('it is online', async () => (await shown(device.id)).status === 'online');
    const dashboard = await Dashboard.signedIn(fixture.application.url, ada.accessToken);
    const tells = (previous: string, status: string) =>
      dashboard.expect(`that it is ${status}`, ({ message }) =>
        isDeepStrictEqual(message.payload, { status, previous }),
      );
    await work(device.id, true);
    await tells('online', 'maintenance');
    const ordered = sendCommand(fixture.application.url, ada, device.id, { name: 'unlock_door' }, { waitSeconds: 20 });
    await line.ack({ commandId: (await line.waitForOrder()).commandId, status: 'executed' });
    expect((await ordered).body.state).toBe('EXECUTED');

    const list = await fixture.request<Page<{ id: string }>>(ada, 'GET', '/devices?status=maintenance');
    const ids = list.body.items.map((item) => item.id);
    expect(ids).toContain(device.id);
    const online = await fixture.request<Page<{ id: string }>>(ada, 'GET', '/devices?status=online');
    expect(online.body.items.map((item) => item.id)).not.toContain(device.id);
    const stats = await fixture.request<{ byStatus: Record<string, number> }>(ada, 'GET', '/devices/stats');
    expect(stats.body.byStatus).toMatchObject({ maintenance: ids.length });
    const { byStatus } = await fixture.application.get(PresenceRepository).countDevices();
    expect(byStatus).toContainEqual({ status: 'maintenance', count: ids.length });

    await work(device.id, false);
    await tells('maintenance', 'online');
    dashboard.close();
    await line.end();
  });

  it('stays in it when its tokens end, and when it is told so again; another version changes nothing', async () => {
    const [id, boot] = [await register(), randomUUID()];
    await born(id, boot);
    expect((await work(id, true, { 'if-match': '"1"' })).status).toBe(412);
    expect(await shown(id)).toMatchObject({ status: 'online' });
    await work(id, true);
    await work(id, true);
    await fixture.request(ada, 'POST', `/devices/${id}/token/revoke`);
    expect(await shown(id)).toMatchObject({ status: 'maintenance', links: [] });
    expect((await work(id, false)).body).toMatchObject({ status: 'offline' });
    expect((await work(id, false)).body).toMatchObject({ status: 'offline' });
    expect((await told(id)).filter((line) => line.includes('>'))).toEqual([
      'unknown > online',
      'online > maintenance',
      'maintenance > offline',
    ]);
  });

  it.each<[string, string, (id: string) => Promise<unknown>]>([
    ['a link', 'online', (id) => born(id, randomUUID())],
    ['no birth', 'unknown', () => Promise.resolve()],
    ['an hour of silence', 'offline', (id) => silentFor(id, 1)],
    ['a day of silence', 'inactive', (id) => silentFor(id, 25)],
  ])('has the status that its links say when it is taken back: with %s, %s', async (_what, status, become) => {
    const id = await register();
    await work(id, true);
    await become(id);
    const { body } = await work(id, false);
    expect(body).toMatchObject({ status });
    const { items } = (await fixture.request<Page<Told>>(ada, 'GET', `/devices/${id}/events?limit=3`)).body;
    expect(items.find(({ type }) => type === 'status_changed')).toMatchObject({
      payload: { status, previous: 'maintenance' },
      version: body.version,
    });
    expect(items.map(({ type }) => type).includes('device_inactive')).toBe(status === 'inactive');
    expect(await fixture.application.get(InactivityRepository).markInactive(500)).toEqual([]);
  });

  it('is put there by its administrators, and the trail says by whom', async () => {
    const [id, guest, helper] = [
      await register(),
      await fixture.createAccount('guest'),
      await fixture.createAccount('helper'),
    ];
    await fixture.share(ada, id, guest, { permission: 'control' });
    await fixture.share(ada, id, helper, { permission: 'admin' });
    const stranger = await fixture.createAccount('stranger');
    const asked = [stranger, guest, helper].map(async (who) => (await work(id, true, {}, who)).status);
    expect(await Promise.all(asked)).toEqual([404, 403, 200]);
    expect((await work(id, 'yes')).status).toBe(400);
    const entries = await fixture.sql.rows(
      `SELECT actor, before, after FROM audit_entries WHERE entity_id = $1 AND action = 'device_updated' AND outcome = 'success'`,
      [id],
    );
    const trace = { actor: `user:${helper.id}`, before: { maintenance: false }, after: { maintenance: true } };
    expect(entries).toEqual([trace]);
  });
});

describe('The maintenance of a device', () => {
  it.each<[string, (id: string) => Promise<unknown>]>([
    ['a factory reset', (id) => fixture.request(ada, 'POST', `/devices/${id}/factory-reset`)],
    [
      'a transfer',
      async (id) => {
        const heir = await fixture.createAccount('heir');
        const offer = await fixture.request<{ id: string }>(ada, 'POST', `/devices/${id}/transfer`, {
          email: heir.email,
        });
        const accept = await fixture.request(heir, 'POST', `/devices/transfers/${offer.body.id}/accept`, {});
        expect(accept.body).toMatchObject({ device: { status: 'unknown' } });
      },
    ],
  ])('ends with %s, which its owner is told', async (_what, end) => {
    const [id, boot] = [await register(), randomUUID()];
    await work(id, true);
    await born(id, boot);
    await end(id);
    expect(await fixture.sql.rows('SELECT status FROM devices WHERE id = $1', [id])).toEqual([{ status: 'unknown' }]);
    const changes = await fixture.sql.rows<{ payload: Told['payload'] }>(
      `SELECT payload FROM events WHERE device_id = $1 AND user_id = $2 AND type = 'status_changed' ORDER BY xid, id`,
      [id, ada.id],
    );
    expect(changes.map(({ payload }) => payload.status)).toEqual(['maintenance', 'online', 'offline']);
  });
});

/** Both wait for the device, in this order, until the test lets it go. */
async function inTurn(id: string, acts: readonly (() => Promise<unknown>)[]): Promise<void> {
  await holder.rows('BEGIN');
  await holder.rows('SELECT FROM devices WHERE id = $1 FOR UPDATE', [id]);
  const done: Promise<unknown>[] = [];
  for (const [index, act] of acts.entries()) {
    done.push(act());
    await eventually('it waits for the device', async () => (await fixture.sql.lockWaits()) > index);
  }
  await holder.rows('COMMIT');
  await Promise.all(done);
}

/** Seen to fail: with a status that is read before the device is held, and with births that set `online` in any case. */
describe('Two changes at once, in either order', () => {
  it.each([false, true])('it falls silent while maintenance begins (maintenance first: %s)', async (first) => {
    const [id, boot] = [await register(), randomUUID()];
    await born(id, boot);
    const acts = [() => gone(id, boot), () => work(id, true)];
    await inTurn(id, first ? acts.reverse() : acts);
    expect(await shown(id)).toMatchObject({ status: 'maintenance', links: [] });
    const statuses = first ? ['online > maintenance'] : ['online > offline', 'offline > maintenance'];
    expect((await told(id)).filter((line) => line.includes('>'))).toEqual(['unknown > online', ...statuses]);
    await work(id, false);
    expect(await shown(id)).toMatchObject({ status: 'offline' });
  });

  it.each([false, true])('it is born while maintenance ends (the end first: %s)', async (first) => {
    const [id, boot] = [await register(), randomUUID()];
    await work(id, true);
    const acts = [() => born(id, boot), () => work(id, false)];
    await inTurn(id, first ? acts.reverse() : acts);
    expect(await shown(id)).toMatchObject({ status: 'online', links: ['mqtt'] });
    const statuses = first ? ['maintenance > unknown', 'unknown > online'] : ['maintenance > online'];
    expect((await told(id)).filter((line) => line.includes('>'))).toEqual(['unknown > maintenance', ...statuses]);
  });
});
