/**
 * Who may see an event is decided when it is sent, not when its dashboard connected or subscribed. Seen to fail: with a
 * `maySee` that always agrees, and with answers that are cached for ever.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeviceRef } from '../../src/contracts/resources.js';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import { Dashboard, type DashboardMessage } from '../support/dashboard.js';
import { OrganizationsFixture, type OrganizationBody } from '../support/organizations.fixture.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { FeedCrowd } from '../support/feed-crowd.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { seededRandom } from '../support/seeded-random.js';
import { eventually } from '../support/wait.js';

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let organization: OrganizationBody;
let shared: { id: string; token: string };
let own: { id: string; token: string };
let lines: { shared: ScriptedDevice; own: ScriptedDevice };
let dashboard: Dashboard;
let seq: number;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
}, 60_000);

afterAll(() => fixture.stop());

/** Grace subscribes to a device of Ada's, who shares an organization with her, and owns another device. */
beforeEach(async () => {
  [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
  organization = await fixture.createOrganization(ada);
  await fixture.addMember(grace, 'VIEWER', organization.id);
  [shared, own] = [await fixture.registerDevice(ada), await fixture.registerDevice(grace)];
  await fixture.request(ada, 'PATCH', `/devices/${shared.id}`, { organizationId: organization.id });
  const { mqttUrl, url } = fixture.application;
  lines = {
    shared: await ScriptedDevice.born(mqttUrl, shared, 'boot-shared'),
    own: await ScriptedDevice.born(mqttUrl, own, 'boot-own'),
  };
  // A client that has no cursor yet may say so, and an id is one in upper case, too: both are read as their other spelling.
  dashboard = await Dashboard.connect(url, { token: grace.accessToken, clientType: 'dashboard', lastCursor: null });
  expect(await dashboard.request('subscribe_device', { deviceId: shared.id.toUpperCase() })).toEqual({ ok: true });
  seq = 0;
});

afterEach(async () => {
  dashboard.close();
  await lines.shared.end();
  await lines.own.end();
});

const zoneOf = ({ message }: DashboardMessage): unknown => (message.payload as { zone?: string }).zone;

/** Both devices publish a motion, her own last: once she has that event, she has every event of the other she will get. */
async function hearsOfTheShared(): Promise<boolean> {
  seq += 1;
  const [first, last] = [`shared ${String(seq)}`, `own ${String(seq)}`];
  const motion = (boot: string, zone: string) => ({ seq, boot, type: 'motion_detected' as const, data: { zone } });
  await lines.shared.publish('events', motion('boot-shared', first));
  await eventually('the first is in the log', async () => {
    const rows = await fixture.sql.rows(`SELECT 1 FROM events WHERE device_id = $1 AND payload->>'zone' = $2`, [
      shared.id,
      first,
    ]);
    return rows.length === 1;
  });
  await lines.own.publish('events', motion('boot-own', last));
  await dashboard.expect('motion before her own device', (received) => zoneOf(received) === last);
  return dashboard.received.some((received) => zoneOf(received) === first);
}

describe('A dashboard that subscribed to a device', () => {
  it('soon gets no events of it after access ended, although the signal of that was lost', async () => {
    expect(await hearsOfTheShared()).toBe(true);
    await fixture.sql.rows('DELETE FROM memberships WHERE user_id = $1', [grace.id]);
    await eventually('she gets no event of it', async () => !(await hearsOfTheShared()), 4_000);
    await fixture.addMember(grace, 'VIEWER', organization.id);
    // A socket that left the room has to subscribe again.
    expect(await hearsOfTheShared()).toBe(false);
  });

  it('gets events while its user may see the device, also after the cached answer has expired', async () => {
    const began = performance.now();
    await eventually('the first answer is no longer cached', async () => {
      expect(await hearsOfTheShared()).toBe(true);
      return performance.now() - began > 2_000;
    });
  });
});

describe('The subscriptions of one socket', () => {
  it('are at most 500, also of those that are asked for at once; a device that it follows already takes no place', async () => {
    const device = { owned: true, ownerId: grace.id, permission: 'admin' };
    const resolve = jest.spyOn(fixture.application.get(DeviceAccessService), 'resolve');
    resolve.mockImplementation((_userId, id) => Promise.resolve({ id, ...device } as unknown as DeviceRef));
    const codesOf = (ids: readonly string[]): Promise<string[]> =>
      Promise.all(
        ids.map(async (deviceId) => {
          const answer = await dashboard.request('subscribe_device', { deviceId });
          return 'error' in answer ? `${answer.error.code} ${String(answer.error.status)}` : 'ok';
        }),
      );
    const countOf = (codes: readonly string[], code: string): number => codes.filter((each) => each === code).length;
    try {
      // It follows one since it has connected.
      const ids = Array.from({ length: 510 }, () => randomUUID());
      const codes = await codesOf(ids);
      expect([countOf(codes, 'ok'), countOf(codes, 'too_many_subscriptions 429')]).toEqual([499, 11]);
      const followed = ids.filter((_, index) => codes[index] === 'ok');
      expect(await codesOf([shared.id, ...followed.slice(0, 3)])).toEqual(['ok', 'ok', 'ok', 'ok']);
      await dashboard.request('unsubscribe_device', { deviceId: followed[0] });
      const later = await codesOf([randomUUID(), randomUUID()]);
      expect([countOf(later, 'ok'), countOf(later, 'too_many_subscriptions 429')]).toEqual([1, 1]);
    } finally {
      resolve.mockRestore();
    }
  });
});

/** Seen to fail: without an event of the recipient’s own. */
describe('The recipient of a share', () => {
  /** Without what is told of the same in the list of notifications. */
  const heard = ({ received }: Pick<Dashboard, 'received'>): Dashboard['received'] =>
    received.filter(({ message }) => message.type !== 'notification');
  const told = ({ received }: Dashboard): unknown[] =>
    heard({ received }).map(({ message: { type, deviceId, payload } }) => [
      type,
      deviceId,
      (payload as { deviceId?: string }).deviceId,
    ]);
  const own = async (who: InsertedAccount): Promise<unknown[]> => {
    const { id } = await fixture.registerDevice(who);
    return ['device_registered', id, undefined];
  };

  it('is told that it is given, suspended, resumed and revoked, and nothing else of the device; others are not', async () => {
    const [guest, stranger] = [await fixture.createAccount('guest'), await fixture.createAccount('stranger')];
    const { url } = fixture.application;
    const [hers, theirs] = [
      await Dashboard.signedIn(url, guest.accessToken),
      await Dashboard.signedIn(url, stranger.accessToken),
    ];
    const body = { email: guest.email, permission: 'control' };
    const given = await fixture.request<{ id: string }>(ada, 'POST', `/devices/${shared.id}/shares`, body);
    const share = `/devices/${shared.id}/shares/${given.body.id}`;
    await fixture.request(ada, 'PATCH', share, { suspended: true });
    await fixture.request(ada, 'PATCH', share, { suspended: false });
    await fixture.request(ada, 'DELETE', share);
    await fixture.request(ada, 'PATCH', `/devices/${shared.id}`, { room: 'Hall' });
    const [last, alone] = [await own(guest), await own(stranger)];
    const due = ['share_granted', 'share_changed', 'share_changed', 'share_revoked'];
    await hers.expect('her own device', ({ message }) => message.type === 'device_registered');
    await theirs.expect('their own device', ({ message }) => message.type === 'device_registered');
    expect(told(hers)).toEqual([...due.map((type) => [type, null, shared.id]), last]);
    expect(new Set(hers.received.slice(0, -1).map(({ message }) => message.actor))).toEqual(new Set(['system']));
    expect(told(theirs)).toEqual([alone]);
    // Grace sees the device: what she hears names no person.
    await dashboard.expect('the change of the room', ({ message }) => message.type === 'device_updated');
    const seen = dashboard.received.filter(({ message }) => message.type.startsWith('share_'));
    expect(seen.map(({ message }) => [message.type, message.deviceId])).toEqual(due.map((type) => [type, shared.id]));
    expect(JSON.stringify(seen)).not.toContain(guest.id);
    const again = await Dashboard.signedIn(url, guest.accessToken, hers.received[0]?.message.cursor);
    await again.expect('her own device', ({ message }) => message.type === 'device_registered');
    expect(told(again)).toEqual(told(hers).slice(1));
    [hers, theirs, again].forEach((each) => {
      each.close();
    });
  });

  it('is told when the device is deleted', async () => {
    const guest = await fixture.createAccount('guest');
    const { id } = await fixture.registerDevice(ada);
    const given = await fixture.request<{ id: string }>(ada, 'POST', `/devices/${id}/shares`, {
      email: guest.email,
      permission: 'view',
    });
    const hers = await Dashboard.signedIn(fixture.application.url, guest.accessToken);
    expect((await fixture.request(ada, 'DELETE', `/devices/${id}`)).status).toBe(204);
    await hers.expect('the end', ({ message }) => message.type === 'share_revoked');
    expect(heard(hers).map(({ message }) => [message.deviceId, message.payload])).toEqual([
      [null, { shareId: given.body.id, permission: 'view', deviceId: id, reason: 'deleted' }],
    ]);
    hers.close();
  });
});

describe('The live feed of a device of an organization', () => {
  it('reaches its members while they are members, and no other user', async () => {
    const mallory = await fixture.createAccount('mallory');
    const [hers, stranger] = [
      await Dashboard.signedIn(fixture.application.url, ada.accessToken),
      await Dashboard.signedIn(fixture.application.url, mallory.accessToken),
    ];
    expect(await stranger.request('subscribe_device', { deviceId: shared.id })).toMatchObject({
      error: { status: 404 },
    });
    const move = (zone: string): Promise<void> => {
      seq += 1;
      return lines.shared.publish('events', { seq, boot: 'boot-shared', type: 'motion_detected', data: { zone } });
    };
    const isIn = (zone: string) => (received: DashboardMessage) => zoneOf(received) === zone;
    await move('hall');
    await dashboard.expect('motion while a member', isIn('hall'));
    const member = `/organizations/${organization.id}/members/${grace.id}`;
    expect((await fixture.request(ada, 'DELETE', member)).status).toBe(204);
    await move('attic');
    await hers.expect('motion after she left', isIn('attic'));
    expect(dashboard.received.filter(isIn('attic'))).toEqual([]);
    expect(stranger.received).toEqual([]);
    [hers, stranger].forEach((each) => {
      each.close();
    });
  });
});

/**
 * P-35: no socket event reaches a non-member. Every type of event, against owners, members who subscribed and who did
 * not, strangers whose subscription was refused, and an administrator, each with a socket that hears events one by one and
 * one that hears them in frames; n counts pairs of an event and a socket that must not get it. Seen to fail: with an event of
 * no rooms given to socket.io, which then emits to every socket; with a frame that is sent to all sockets.
 */
describe('P-35: an event on sockets', () => {
  const n = scaled(1_000, 100_000);

  it('reaches its viewers, and no other socket', async () => {
    const crowd = await FeedCrowd.start(fixture, ada, organization.id, shared.id);
    const random = seededRandom(SEED);
    let pairs = 0;
    let strays = 0;
    let missing = 0;
    while (pairs < n) {
      const outcome = await crowd.round(random);
      pairs += outcome.pairs;
      strays += outcome.strays;
      missing += outcome.missing;
    }
    expect(crowd.framed).toBeGreaterThan(pairs / 20);
    crowd.stop();
    recordFigure({
      promise: 'P-35',
      shown:
        'Events of all types, one by one and in frames, to dashboards of owners, members, strangers and an administrator.',
      n: pairs,
      figure: `${String(strays)} at a socket that must not get it`,
      seed: SEED,
    });
    expect({ strays, missing }).toEqual({ strays: 0, missing: 0 });
  }, 600_000);
});
