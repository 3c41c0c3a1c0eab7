/** Notifications as people see them: who is told of what, over which channel, when, and when not. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NewEvent } from '../../src/contracts/events.js';
import { createAdmin } from '../support/accounts.fixture.js';
import { type Fact, FORCED, LOW, NotificationsFixture, SILENT } from '../support/notifications.fixture.js';
import { request } from '../support/rest.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

let fixture: NotificationsFixture;
let door: Door;

beforeAll(async () => {
  fixture = await NotificationsFixture.start();
});

afterAll(() => fixture.stop());

beforeEach(async () => {
  await fixture.mails.refuse(null);
  fixture.mails.mails.length = 0;
  door = await fixture.createDoor();
});

const OF_DEVICE: readonly (readonly [kind: string, fact: Fact, isUrgent: boolean])[] = [
  ['device_offline', SILENT, false],
  ['low_battery', LOW, false],
  ['door_forced', FORCED, true],
  ['door_left_open', { type: 'door_status_changed', payload: { doorState: 'ajar' } }, true],
  ['wrong_codes', { type: 'error_occurred', payload: { errorCode: 'wrong_code_limit' } }, true],
];
const NO_NEWS: readonly Fact[] = [
  { type: 'door_status_changed', payload: { doorState: 'closed' } },
  { type: 'device_disconnected', payload: { link: 'mqtt', boot: 'b', reason: 'goodbye' } },
  { type: 'error_occurred', payload: { errorCode: 'motor_blocked' } },
];

describe('what is told', () => {
  it('of a device goes to those who see it, and to no one else', async () => {
    await fixture.share(door.ada, door.id, door.guest, { permission: 'view' });
    await fixture.report(door, ...NO_NEWS, ...OF_DEVICE.map(([, fact]) => fact));
    await fixture.told(door.guest, 'wrong_codes');
    await fixture.told(door.guest, 'low_battery');
    // What is urgent and the rest are in an order each.
    const [urgent, rest] = [true, false].map((which) =>
      OF_DEVICE.flatMap(([kind, , isUrgent]) =>
        isUrgent === which ? [{ kind, isUrgent, deviceId: door.id, occurrences: 1 }] : [],
      ),
    );
    const shown = (await fixture.listOf(door.ada)).reverse();
    expect(shown.filter(({ isUrgent }) => isUrgent)).toMatchObject(urgent!);
    expect(shown.filter(({ isUrgent }) => !isUrgent)).toMatchObject(rest!);
    const low = shown.find(({ kind }) => kind === 'low_battery');
    expect(low?.values).toMatchObject({ deviceName: 'Front door', battery: 7 });
    const guests = (await fixture.listOf(door.guest)).filter(({ kind }) => kind !== 'share_granted').reverse();
    expect(guests.toSorted((a, b) => Number(b.isUrgent) - Number(a.isUrgent))).toMatchObject([...urgent!, ...rest!]);
    expect(await fixture.listOf(door.grace)).toEqual([]);
    const [hers] = shown;
    expect((await fixture.request(door.grace, 'PATCH', `/notifications/${hers!.id}`, { read: true })).body.code).toBe(
      'notification_not_found',
    );
    expect((await fixture.request(door.grace, 'GET', `/notifications/${hers!.id}/deliveries`)).status).toBe(404);
  });

  it('of a command goes to who gave it', async () => {
    await fixture.share(door.ada, door.id, door.guest, { permission: 'control' });
    const given = await fixture.request<{ id: string }>(
      door.guest,
      'POST',
      `/devices/${door.id}/commands`,
      { name: 'lock_door' },
      { 'Idempotency-Key': randomUUID() },
    );
    expect(given.status).toBe(202);
    const of = { source: 'system', actor: 'system', deviceId: door.id, userId: door.ada.id, commandId: given.body.id };
    await fixture.append([
      { ...of, type: 'command_failed', payload: { name: 'lock_door', state: 'FAILED', confirmedBy: 'ack' } },
      { ...of, type: 'command_timed_out', payload: { name: 'lock_door', state: 'TIMED_OUT' } },
    ] as NewEvent[]);
    const unconfirmed = await fixture.told(door.guest, 'command_unconfirmed');
    expect(unconfirmed).toMatchObject({ subjectId: given.body.id, values: { command: 'lock_door' } });
    expect((await fixture.told(door.guest, 'command_failed')).isUrgent).toBe(false);
    expect(await fixture.listOf(door.ada)).toEqual([]);
  });

  it('of themselves goes to a person: shares, invitations, exports, sign-ins, resets', async () => {
    const { body: share } = await fixture.share(door.ada, door.id, door.guest);
    const { id: organizationId } = await fixture.createOrganization(door.ada);
    const path = `/organizations/${organizationId}/invitations`;
    const invited = await fixture.request<{ id: string }>(door.ada, 'POST', path, {
      email: door.guest.email,
      role: 'OPERATOR',
    });
    expect(invited.status).toBe(201);
    const made = await fixture.request<{ id: string }>(door.guest, 'POST', '/exports', {
      type: 'my_data',
      format: 'json',
    });
    expect(made.status).toBe(202);
    expect(await fixture.told(door.guest, 'export_ready')).toMatchObject({
      subjectId: made.body.id,
      values: { exportId: made.body.id, exportType: 'my_data', exportState: 'COMPLETED' },
    });
    expect(await fixture.told(door.guest, 'share_granted')).toMatchObject({
      subjectId: share.id,
      values: { deviceName: 'Front door', permission: 'control' },
    });
    expect(await fixture.told(door.guest, 'invitation_received')).toMatchObject({
      subjectId: invited.body.id,
      values: { role: 'OPERATOR' },
    });
    expect(await fixture.listOf(door.ada)).toEqual([]);
    // Mails of their own have told of these.
    expect(fixture.mailsTo(door.guest)).toEqual([]);
  });

  it('of a sign-in is one by a new client, and of a reset one by an administrator', async () => {
    const admin = await createAdmin(fixture.application);
    const inserted = { ...admin, sessionId: '' };
    expect((await fixture.listOf(inserted)).filter(({ kind }) => kind === 'new_sign_in')).toEqual([]);
    for (const client of ['curl/8.1', 'curl/8.1', 'Wget/1.21', 'curl/8.1']) {
      const signedIn = await request(fixture.application.url, 'POST', '/api/v1/auth/login', {
        body: { identifier: admin.email, password: admin.password },
        headers: { 'user-agent': client },
      });
      expect(signedIn.status).toBe(200);
    }
    await eventually('told of two', async () => (await fixture.listOf(inserted)).length === 2);
    expect((await fixture.listOf(inserted)).map(({ kind, values }) => [kind, values.program])).toEqual([
      ['new_sign_in', 'Wget'],
      ['new_sign_in', 'curl'],
    ]);
    const path = `/users/${door.guest.id}/reset-password`;
    expect((await fixture.request(inserted, 'PATCH', path, { means: 'link' })).status).toBeLessThan(300);
    const rows = await eventually('told of the reset', async () => {
      const found = await fixture.sql.rows<{ kind: string }>(
        `SELECT kind FROM notifications WHERE user_id = $1 AND kind = 'password_reset'`,
        [door.guest.id],
      );
      return found.length > 0 ? found : null;
    });
    expect(rows.length).toBe(1);
  });

  it('of an alarm goes to administrators, and to the person whose account it is about', async () => {
    const admin = { ...(await createAdmin(fixture.application)), sessionId: '' };
    const payload = { alert: 'login_failures', scope: 'account', failures: 21, windowSeconds: 60 } as const;
    await fixture.append([
      {
        type: 'system_alert',
        payload: { ...payload, userId: door.grace.id },
        source: 'system',
        actor: 'system',
      },
    ]);
    expect(await fixture.told(admin, 'security_alarm')).toMatchObject({
      values: { failures: 21, isOwnAccount: false },
    });
    expect(await fixture.told(door.grace, 'security_alarm')).toMatchObject({ values: { isOwnAccount: true } });
    expect(await fixture.listOf(door.ada)).toEqual([]);
  });

  it('comes once for events that are alike, and counts them', async () => {
    await fixture.report(door, LOW);
    const { id } = await fixture.told(door.ada, 'low_battery');
    await fixture.report(door, { type: 'low_battery', payload: { battery: 5 } }, LOW, SILENT);
    await fixture.told(door.ada, 'device_offline');
    expect((await fixture.listOf(door.ada)).filter(({ kind }) => kind === 'low_battery')).toMatchObject([
      { id, occurrences: 3, values: { battery: 7, deviceName: 'Front door' } },
    ]);
    await fixture.sql.rows(`UPDATE notifications SET created_at = created_at - interval '1 day' WHERE id = $1`, [id]);
    await fixture.report(door, LOW);
    await eventually(
      'told anew',
      async () => (await fixture.listOf(door.ada)).filter(({ kind }) => kind === 'low_battery').length === 2,
    );
  });
});

describe('the list', () => {
  it('is read, counted, archived, and told live', async () => {
    await fixture.report(door, LOW, SILENT);
    await fixture.told(door.ada, 'device_offline');
    const unread = async (): Promise<unknown> =>
      (await fixture.request(door.ada, 'GET', '/notifications/unread-count')).body;
    expect(await unread()).toEqual({ unread: 2 });
    const [newest, oldest] = await fixture.listOf(door.ada);
    const page = await fixture.readAllPages<{ id: string }>(door.ada, '/notifications?limit=1');
    expect(page.map(({ id }) => id)).toEqual([newest!.id, oldest!.id]);
    const path = `/notifications/${newest!.id}`;
    const read = await fixture.request<{ readAt: string }>(door.ada, 'PATCH', path, { read: true });
    expect(read.body.readAt).toEqual(expect.any(String));
    expect((await fixture.listOf(door.ada, '?state=read')).map(({ id }) => id)).toEqual([newest!.id]);
    expect(await unread()).toEqual({ unread: 1 });
    await fixture.request(door.ada, 'PATCH', path, { archived: true });
    expect((await fixture.listOf(door.ada)).map(({ id }) => id)).toEqual([oldest!.id]);
    expect(await fixture.listOf(door.ada, '?state=archived')).toMatchObject([
      { id: newest!.id, readAt: read.body.readAt },
    ]);
    await fixture.request(door.ada, 'PATCH', path, { archived: false, read: false });
    expect((await fixture.request(door.ada, 'POST', '/notifications/read', {})).status).toBe(204);
    expect(await unread()).toEqual({ unread: 0 });
    const events = await fixture.sql.rows<{ payload: { notificationId: string } }>(
      `SELECT payload FROM events WHERE type = 'notification' AND user_id = $1 ORDER BY xid, id`,
      [door.ada.id],
    );
    expect(events.map(({ payload }) => payload.notificationId)).toEqual([oldest!.id, newest!.id]);
  });

  it('is narrowed by kind and device', async () => {
    const { id } = await fixture.registerDevice(door.ada);
    await fixture.report(door, LOW, SILENT);
    await fixture.report({ ...door, id }, LOW);
    await eventually('all are told', async () => (await fixture.listOf(door.ada)).length === 3);
    const kindsOf = async (query: string): Promise<string[]> =>
      (await fixture.listOf(door.ada, query)).map(
        ({ kind, deviceId }) => `${kind} ${deviceId === id ? 'other' : 'door'}`,
      );
    expect(await kindsOf('?kind=low_battery')).toEqual(['low_battery other', 'low_battery door']);
    expect(await kindsOf(`?deviceId=${door.id.toUpperCase()}&state=unread`)).toEqual([
      'device_offline door',
      'low_battery door',
    ]);
    expect(await kindsOf(`?deviceId=${id}&kind=device_offline`)).toEqual([]);
    expect((await fixture.request(door.ada, 'GET', '/notifications?kind=earthquake')).status).toBe(400);
  });

  it('says no more of a device that its person may not see any more', async () => {
    const { body: share } = await fixture.share(door.ada, door.id, door.guest, { permission: 'view' });
    await fixture.report(door, LOW);
    const { id } = await fixture.told(door.guest, 'low_battery');
    expect((await fixture.listOf(door.guest)).map(({ values }) => values.deviceName)).toEqual([
      'Front door',
      'Front door',
    ]);
    expect((await fixture.request(door.ada, 'DELETE', `/devices/${door.id}/shares/${share.id}`)).status).toBe(204);
    expect((await fixture.listOf(door.guest)).map(({ deviceId, values }) => ({ deviceId, values }))).toEqual([
      { deviceId: null, values: {} },
      { deviceId: null, values: {} },
    ]);
    const read = await fixture.request(door.guest, 'PATCH', `/notifications/${id}`, { read: true });
    expect(read.body).toMatchObject({ id, deviceId: null, values: {} });
    expect((await fixture.listOf(door.ada))[0]?.values.deviceName).toBe('Front door');
  });

  it('has nothing of a kind that its person does not want there', async () => {
    await fixture.choose(door.ada, 'low_battery', 'in_app', false);
    await fixture.report(door, LOW, SILENT);
    await fixture.told(door.ada, 'device_offline');
    expect((await fixture.listOf(door.ada)).map(({ kind }) => kind)).toEqual(['device_offline']);
    await eventually('it was mailed', () => fixture.mailsTo(door.ada).length > 0);
  });
});
