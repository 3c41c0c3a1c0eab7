/** Mails that tell people something: when they are sent, to whom not any more, and how they end. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAdmin } from '../support/accounts.fixture.js';
import { counter } from '../support/metrics.js';
import { FORCED, LOW, NotificationsFixture } from '../support/notifications.fixture.js';
import { request } from '../support/rest.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

let fixture: NotificationsFixture;
let door: Door;

beforeAll(async () => {
  fixture = await NotificationsFixture.start({ SMS_MONTHLY_BUDGET: '0' });
});

afterAll(() => fixture.stop());

beforeEach(async () => {
  await fixture.mails.refuse(null);
  fixture.mails.mails.length = 0;
  door = await fixture.createDoor();
});

describe('mails', () => {
  it('tell of a burst in two', async () => {
    const doors = await Promise.all(Array.from({ length: 20 }, () => fixture.registerDevice(door.ada)));
    await fixture.report(door, LOW);
    const [first] = await fixture.settled(door.ada, (await fixture.told(door.ada, 'low_battery')).id);
    expect(first).toMatchObject({ channel: 'email', state: 'SENT', attempts: 1 });
    for (const { id } of doors) {
      await fixture.report({ ...door, id }, LOW);
    }
    const list = await eventually('told of all', async () => {
      const items = await fixture.listOf(door.ada);
      return items.length === 21 ? items : null;
    });
    await fixture.hurry();
    const sent = await Promise.all(list.map(({ id }) => fixture.settled(door.ada, id)));
    expect(new Set(sent.flat().map(({ messageId }) => messageId)).size).toBe(2);
    expect(fixture.mailsTo(door.ada).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('Front door'),
      expect.stringContaining('20'),
    ]);
  });

  it('are timed from the first event that they tell of', async () => {
    const seconds = (): Promise<number> =>
      counter(fixture.application.url, 'mortise_notification_delivery_seconds_sum');
    const before = await seconds();
    await fixture.append([
      {
        type: 'door_status_changed',
        payload: { doorState: 'forced_open' },
        source: 'mqtt',
        actor: `device:${door.id}`,
        deviceId: door.id,
        userId: door.ada.id,
        occurredAt: new Date(Date.now() - 600_000),
      },
    ]);
    await fixture.settled(door.ada, (await fixture.told(door.ada, 'door_forced')).id);
    await eventually('it is measured', async () => (await seconds()) > before);
    expect((await seconds()) - before).toBeGreaterThanOrEqual(600);
  });

  it('wait for the end of quiet hours, but for what is urgent', async () => {
    const hour = (plus: number): string => `${String((new Date().getUTCHours() + plus) % 24).padStart(2, '0')}:00`;
    const quietHours = { from: hour(0), until: hour(2), timeZone: 'UTC' };
    expect((await fixture.request(door.ada, 'PATCH', '/users/me/preferences', { quietHours })).status).toBe(200);
    await fixture.report(door, LOW, FORCED);
    const forced = await fixture.told(door.ada, 'door_forced');
    const low = await fixture.told(door.ada, 'low_battery');
    expect(await fixture.settled(door.ada, forced.id)).toMatchObject([{ state: 'SENT' }]);
    expect(await fixture.sentOf(door.ada, low.id)).toMatchObject([{ state: 'PENDING', attempts: 0 }]);
    // Judged again: they have not ended.
    await fixture.hurry();
    await fixture.settled(door.ada, low.id, ({ state, attempts }) => state === 'PENDING' && attempts > 0);
    await fixture.request(door.ada, 'PATCH', '/users/me/preferences', { quietHours: null });
    await fixture.hurry();
    expect(await fixture.settled(door.ada, low.id)).toMatchObject([{ state: 'SENT' }]);
    expect(fixture.mailsTo(door.ada).length).toBe(2);
  });

  it('are not sent to who may not see any more what they tell, does not want it, or is blocked', async () => {
    await fixture.mails.refuse({ code: 451, text: 'later' });
    const { body: share } = await fixture.share(door.ada, door.id, door.guest, { permission: 'view' });
    await fixture.share(door.ada, door.id, door.grace, { permission: 'view' });
    await fixture.report(door, FORCED);
    const people = [door.ada, door.grace, door.guest] as const;
    const told = await Promise.all(people.map((who) => fixture.told(who, 'door_forced')));
    const wasTried = ({ lastError }: { lastError: string | null }): boolean => lastError !== null;
    await Promise.all(people.map((who, index) => fixture.settled(who, told[index]!.id, wasTried)));
    expect((await fixture.request(door.ada, 'DELETE', `/devices/${door.id}/shares/${share.id}`)).status).toBe(204);
    await fixture.choose(door.ada, 'door_forced', 'email', false);
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [door.grace.id]);
    await fixture.mails.refuse(null);
    await fixture.hurry();
    const reasons = await eventually('all are settled', async () => {
      const rows = await fixture.sql.rows<{ state: string; reason: string }>(
        `SELECT m.state, m.reason FROM notification_messages m JOIN unnest($1::uuid[]) WITH ORDINALITY AS u(id, place)
           ON u.id = m.user_id WHERE m.is_urgent ORDER BY u.place`,
        [people.map(({ id }) => id)],
      );
      return rows.every(({ state }) => state !== 'PENDING') ? rows : null;
    });
    expect(reasons).toEqual(
      ['not_wanted', 'blocked', 'not_permitted'].map((reason) => ({ state: 'SUPPRESSED', reason })),
    );
    expect(people.flatMap((who) => fixture.mailsTo(who))).toEqual([]);
  });

  it('tell of no share that has ended', async () => {
    await fixture.choose(door.guest, 'share_granted', 'email', true);
    await fixture.mails.refuse({ code: 451, text: 'later' });
    const { body: share } = await fixture.share(door.ada, door.id, door.guest);
    const { id } = await fixture.told(door.guest, 'share_granted');
    await fixture.settled(door.guest, id, ({ lastError }) => lastError !== null);
    expect((await fixture.request(door.ada, 'DELETE', `/devices/${door.id}/shares/${share.id}`)).status).toBe(204);
    await fixture.mails.refuse(null);
    await fixture.hurry();
    expect(await fixture.settled(door.guest, id)).toMatchObject([{ state: 'SUPPRESSED', reason: 'not_permitted' }]);
    expect(fixture.mailsTo(door.guest)).toEqual([]);
  });

  it('and other messages are given up where their channel is not set up any more', async () => {
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    await fixture.settled(door.ada, id);
    const { body } = await fixture.request<{ channels: unknown[] }>(door.ada, 'GET', '/notifications/preferences');
    expect(body.channels).toEqual([
      { channel: 'in_app', isSetUp: true, isReachable: true },
      { channel: 'email', isSetUp: true, isReachable: true },
      { channel: 'push', isSetUp: true, isReachable: false },
      { channel: 'sms', isSetUp: false, isReachable: false },
      { channel: 'chat', isSetUp: true, isReachable: false },
    ]);
    await fixture.sql.rows(
      `WITH moved AS (
         UPDATE notification_messages SET state = 'PENDING', channel = 'sms', failures = 6, next_attempt_at = now(),
           finished_at = NULL WHERE user_id = $1 RETURNING id)
       UPDATE notification_deliveries SET channel = 'sms' WHERE message_id IN (SELECT id FROM moved)`,
      [door.ada.id],
    );
    await fixture.choose(door.ada, 'door_forced', 'sms', true);
    expect(await fixture.settled(door.ada, id)).toMatchObject([
      { channel: 'sms', state: 'FAILED', lastError: 'channel_not_set_up' },
    ]);
  });

  it('are tried again under the same Message-ID, and given up where there is no such mailbox', async () => {
    await fixture.mails.refuse({ code: 451, text: 'later' });
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    await fixture.settled(door.ada, id, ({ lastError }) => lastError === 'EENVELOPE 451');
    await fixture.mails.refuse(null);
    await fixture.hurry();
    const [sent] = await fixture.settled(door.ada, id);
    expect(sent).toMatchObject({ state: 'SENT', attempts: 2, lastError: null });
    expect(fixture.mailsTo(door.ada)[0]?.messageId).toContain(sent!.messageId);

    await fixture.mails.refuse({ code: 550, text: 'no such user' });
    await fixture.report(door, LOW);
    const { id: other } = await fixture.told(door.ada, 'low_battery');
    const [failed] = await fixture.settled(door.ada, other);
    expect(failed).toMatchObject({ state: 'FAILED', attempts: 1, lastError: 'EENVELOPE 550' });
    const admin = { ...(await createAdmin(fixture.application)), sessionId: '' };
    const dead = `/admin/queues/notifications/dead-letters`;
    const { items } = (await fixture.request<{ items: { id: string }[] }>(admin, 'GET', dead)).body;
    expect(items[0]).toMatchObject({ id: failed!.messageId, kind: 'email', error: 'EENVELOPE 550' });
    await fixture.mails.refuse(null);
    expect((await fixture.request(admin, 'POST', `${dead}/${failed!.messageId}/replay`)).status).toBeLessThan(300);
    expect(await fixture.settled(door.ada, other, ({ state }) => state === 'SENT')).toMatchObject([{ attempts: 2 }]);
  });

  it('end by one click, without a login, and a GET changes nothing', async () => {
    await fixture.report(door, FORCED);
    const mail = await eventually('it was mailed', () => fixture.mailsTo(door.ada)[0]);
    expect(mail.head).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/im);
    const { pathname, search } = new URL(/^List-Unsubscribe: <(.*)>$/im.exec(mail.head)![1]!);
    const url = fixture.application.url + pathname + search;
    const isOn = async (kind: string): Promise<boolean> => {
      const { items } = (
        await fixture.request<{ items: { kind: string; channel: string; enabled: boolean }[] }>(
          door.ada,
          'GET',
          '/notifications/preferences',
        )
      ).body;
      return items.find((one) => one.kind === kind && one.channel === 'email')!.enabled;
    };
    expect((await fetch(url)).status).toBe(405);
    expect(await isOn('door_forced')).toBe(true);
    const forged = url.replace(/\.(.)(?=[^.]*$)/, (_, letter: string) => `.${letter === 'A' ? 'B' : 'A'}`);
    const click = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) };
    expect((await fetch(forged, click)).status).toBe(403);
    expect(await isOn('door_forced')).toBe(true);
    const form = new FormData();
    form.append('List-Unsubscribe', 'One-Click');
    for (const body of [click.body, form]) {
      expect((await fetch(url, { method: 'POST', body })).status).toBe(204);
      expect([await isOn('door_forced'), await isOn('door_left_open')]).toEqual([false, true]);
    }
    await fixture.choose(door.ada, 'door_forced', 'email', null);
    expect(await isOn('door_forced')).toBe(true);
    const elsewhere = await request(fixture.application.url, 'GET', '/api/v1/notifications', {});
    expect(elsewhere.status).toBe(401);
  });

  it('that are urgent overtake ten thousand that wait, within a second', async () => {
    await fixture.sql.rows(
      `WITH crowd AS (
         INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, device_id, values, occurred_at, last_at, is_in_app)
         SELECT gen_random_uuid(), $1::uuid, 'low_battery', false, 'low_battery', $1::uuid, $2::uuid, '{}', now(), now(), true
         FROM generate_series(1, 10000) RETURNING id, gen_random_uuid() AS message_id
       ), messages AS (
         INSERT INTO notification_messages (id, user_id, channel, is_urgent) SELECT message_id, $1::uuid, 'email', false FROM crowd)
       INSERT INTO notification_deliveries (notification_id, channel, message_id) SELECT id, 'email', message_id FROM crowd`,
      [door.ada.id, door.id],
    );
    await eventually('some are sent', () => fixture.mailsTo(door.ada).length > 20);
    const begun = performance.now();
    await fixture.report(door, FORCED);
    await eventually('the urgent one came', () =>
      fixture.mailsTo(door.ada).some(({ subject }) => subject.includes('forced')),
    );
    const tookMs = performance.now() - begun;
    const [{ waiting } = { waiting: 0 }] = await fixture.sql.rows<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM notification_messages WHERE state = 'PENDING'`,
    );
    await fixture.sql.rows(`DELETE FROM notification_messages WHERE state = 'PENDING'`);
    expect(waiting).toBeGreaterThan(5_000);
    expect(tookMs).toBeLessThan(1_000);
  });
});
