/** Notifications where several change the same at once, where devices change hands, and where a device or an account means harm. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_READ } from '../../src/features/notifications/list/notifications.repository.js';
import { Database } from '../../src/platform/prisma/database.js';
import { createAdmin } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { EventStreamClient } from '../support/event-stream-client.js';
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
  fixture.mails.mails.length = 0;
  door = await fixture.createDoor();
});

/** Once what is measured has been written down: a second after it happened, at the latest. */
async function deadlocks(): Promise<number> {
  const [row] = await fixture.sql.rows<{ deadlocks: string }>(
    `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`,
  );
  return Number(row!.deadlocks);
}

/** How the database finds a list. */
async function planOf(state: string): Promise<string> {
  const database = fixture.application.get(Database);
  const query = database.query.bind(database);
  let asked: { text: string; values: readonly unknown[] } | undefined;
  database.query = (name, text, values) => {
    asked = name.startsWith('notifications_list_') ? { text, values: values ?? [] } : asked;
    return query(name, text, values);
  };
  await fixture.listOf(door.ada, state === 'all' ? '' : `?state=${state}`);
  database.query = query;
  const rows = await fixture.sql.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE) ${asked!.text}`, asked!.values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('at the same instant', () => {
  it('events are told once more, and their notifications are read: neither gives way', async () => {
    const doors = await Promise.all(Array.from({ length: 40 }, () => fixture.registerDevice(door.ada)));
    const low = (ids: readonly { readonly id: string }[]): Promise<void> =>
      fixture.append(
        ids.map(({ id }) => ({
          ...LOW,
          source: 'mqtt',
          actor: `device:${id}`,
          deviceId: id,
          userId: door.ada.id,
        })) as Parameters<typeof fixture.append>[0],
      );
    const before = await deadlocks();
    await low(doors);
    const counted = async (): Promise<number> => {
      const [row] = await fixture.sql.rows<{ sum: number }>(
        `SELECT coalesce(sum(occurrences), 0)::int AS sum FROM notifications WHERE user_id = $1`,
        [door.ada.id],
      );
      return row!.sum;
    };
    await eventually('all are told', async () => (await counted()) === 40);
    for (let round = 2; round < 22; round += 1) {
      await low([...doors].reverse());
      const reads = Array.from({ length: 4 }, () => fixture.request(door.ada, 'POST', '/notifications/read', {}));
      expect((await Promise.all(reads)).map(({ status }) => status)).toEqual([204, 204, 204, 204]);
      await eventually('all are counted', async () => (await counted()) === 40 * round);
      await fixture.sql.rows(`UPDATE notifications SET read_at = NULL WHERE user_id = $1`, [door.ada.id]);
    }
    expect(await deadlocks()).toBe(before);
  });

  it('a person chooses in two windows: both are answered, and one of them stands', async () => {
    const items = [
      'low_battery',
      'device_offline',
      'door_forced',
      'door_left_open',
      'wrong_codes',
      'command_failed',
    ].map((kind) => ({ kind, channel: 'email', enabled: false }));
    const other = [...items].reverse().map((item, index) => ({ ...item, enabled: index % 2 === 0 ? true : null }));
    const before = await deadlocks();
    for (let round = 0; round < 30; round += 1) {
      const answers = await Promise.all(
        [items, other, items, other].map((chosen) =>
          fixture.request<{ items: { kind: string; channel: string; enabled: boolean; isDefault: boolean }[] }>(
            door.ada,
            'PATCH',
            '/notifications/preferences',
            { items: chosen },
          ),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const rows = await fixture.sql.rows<{ on: number; off: number }>(
        `SELECT count(*) FILTER (WHERE is_enabled)::int AS on, count(*) FILTER (WHERE NOT is_enabled)::int AS off
         FROM notification_preferences WHERE user_id = $1`,
        [door.ada.id],
      );
      expect([[{ on: 3, off: 0 }], [{ on: 0, off: 6 }]]).toContainEqual(rows);
    }
    expect(await deadlocks()).toBe(before);
  });
});

describe('a device that changed hands', () => {
  it('is told of anew, to who may not see what it did before', async () => {
    await fixture.share(door.ada, door.id, door.guest, { permission: 'view' });
    await fixture.report(door, LOW);
    const { id } = await fixture.told(door.guest, 'low_battery');
    await fixture.sql.rows(
      `WITH gone AS (DELETE FROM device_shares WHERE device_id = $1)
       UPDATE devices SET owner_id = $2, owned_since = now() WHERE id = $1`,
      [door.id, door.guest.id],
    );
    // Access is asked about anew by then: no signal told of this.
    await new Promise((resolve) => {
      setTimeout(resolve, 2_000);
    });
    await fixture.report({ id: door.id, ada: door.guest }, LOW);
    const anew = await eventually('told anew', async () =>
      (await fixture.listOf(door.guest)).find((one) => one.kind === 'low_battery' && one.id !== id),
    );
    expect(anew).toMatchObject({ deviceId: door.id, occurrences: 1, readAt: null });
    expect((await fixture.listOf(door.guest)).find((one) => one.id === id)).toMatchObject({
      deviceId: null,
      values: {},
    });
  });
});

describe('what comes late', () => {
  it('of a device that was offline does not overwrite what it said since', async () => {
    await fixture.report(door, LOW);
    const { id } = await fixture.told(door.ada, 'low_battery');
    const hourAgo = new Date(Date.now() - 3_600_000);
    const of = { source: 'mqtt', actor: `device:${door.id}`, deviceId: door.id, userId: door.ada.id } as const;
    await fixture.append([{ ...of, type: 'low_battery', payload: { battery: 15 }, occurredAt: hourAgo }]);
    const counted = await eventually('it is counted', async () =>
      (await fixture.listOf(door.ada)).find((one) => one.id === id && one.occurrences === 2),
    );
    expect(counted.values.battery).toBe(7);
    expect(Date.parse(counted.lastAt)).toBeGreaterThan(hourAgo.getTime() + 60_000);
  });

  it('to an account that slept is a sign-in: it is told, although no session is left to compare it with', async () => {
    const admin = await createAdmin(fixture.application);
    const signIn = async (client: string): Promise<void> => {
      const { status } = await request(fixture.application.url, 'POST', '/api/v1/auth/login', {
        body: { identifier: admin.email, password: admin.password },
        headers: { 'user-agent': client },
      });
      expect(status).toBe(200);
    };
    await signIn('curl/8.1');
    await fixture.sql.rows('DELETE FROM sessions WHERE user_id = $1', [admin.id]);
    await signIn('Wget/1.21');
    const rows = await eventually('it is told', async () => {
      const found = await fixture.sql.rows<{ program: string }>(
        `SELECT values->>'program' AS program FROM notifications WHERE user_id = $1 AND kind = 'new_sign_in'
           AND values->>'program' = 'Wget'`,
        [admin.id],
      );
      return found.length > 0 ? found : null;
    });
    expect(rows.length).toBe(1);
  });
});

describe('a device that means harm', () => {
  it('makes one notification and one mail of ten thousand reports, and no one else waits for it', async () => {
    const wrong: Fact = { type: 'error_occurred', payload: { errorCode: 'wrong_code_limit\r\nBcc: all@example.com' } };
    const other = await fixture.createDoor();
    for (let reported = 0; reported < 10_000; reported += 1_000) {
      await fixture.report(door, ...Array.from({ length: 1_000 }, (_, n) => (n % 2 === 0 ? wrong : SILENT)));
    }
    await fixture.report(other, FORCED);
    await fixture.told(other.ada, 'door_forced');
    await eventually('all are counted', async () =>
      (await fixture.listOf(door.ada)).every(({ occurrences }) => occurrences === 5_000),
    );
    expect((await fixture.listOf(door.ada)).map(({ kind, occurrences }) => [kind, occurrences]).sort()).toEqual([
      ['device_offline', 5_000],
      ['wrong_codes', 5_000],
    ]);
    await Promise.all((await fixture.listOf(door.ada)).map(({ id }) => fixture.settled(door.ada, id)));
    expect(fixture.mailsTo(door.ada).length).toBe(2);
  });

  it('cannot call people all day: of many alarms ten come alone, and the rest as one', async () => {
    const name = 'Door\u202e<b>\u0007 https://evil.example';
    const doors = await Promise.all(Array.from({ length: 30 }, () => fixture.registerDevice(door.grace)));
    await fixture.sql.rows('UPDATE devices SET name = $1 WHERE owner_id = $2', [name, door.grace.id]);
    await fixture.sql.rows(
      `INSERT INTO device_shares (id, device_id, user_id, email, permission, granted_by)
       SELECT gen_random_uuid(), id, $2, $3, 'view', owner_id FROM devices WHERE owner_id = $1`,
      [door.grace.id, door.guest.id, door.guest.email],
    );
    for (const { id } of doors) {
      await fixture.report({ id, ada: door.grace }, FORCED);
    }
    const alarms = await eventually('all are told', async () => {
      const told = (await fixture.listOf(door.guest, '?limit=200')).filter(({ kind }) => kind === 'door_forced');
      return told.length === 30 ? told : null;
    });
    await fixture.hurry();
    const sent = await Promise.all(alarms.map(({ id }) => fixture.settled(door.guest, id)));
    expect(new Set(sent.flat().map(({ messageId }) => messageId)).size).toBe(11);
    const mails = fixture.mailsTo(door.guest).filter(({ subject }) => /forced/i.test(subject));
    expect(mails.length).toBe(11);
    expect(mails.map(({ subject }) => subject)).toContainEqual('Forced open: 20');
    for (const { subject, text, html, head } of mails) {
      expect(`${subject}${text.replaceAll('\n', '')}`).not.toMatch(/[\u0000-\u001f\u202e<>]|https?:\/\/evil/);
      expect(html).not.toMatch(/<b>|evil\.example"/);
      expect(head).not.toMatch(/^Bcc/im);
    }
  });
});

describe('a hundred thousand', () => {
  it('in one list keep no one waiting: what is counted, listed and read at once is bounded', async () => {
    await fixture.sql.rows(
      `INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, values, occurred_at, last_at, is_in_app, created_at)
       SELECT gen_random_uuid(), $1::uuid, 'command_failed', false, 'command_failed', $1::uuid, '{}', now(), now(), true,
         now() - n * interval '1 second' FROM generate_series(1, 100000) n`,
      [door.ada.id],
    );
    await fixture.sql.rows('ANALYZE notifications');
    const unread = async (): Promise<unknown> =>
      (await fixture.request(door.ada, 'GET', '/notifications/unread-count')).body;
    expect(await unread()).toEqual({ unread: 10_000 });
    const [newest] = await fixture.listOf(door.ada);
    expect((await fixture.request(door.ada, 'POST', '/notifications/read', {})).status).toBe(204);
    const [left] = await fixture.sql.rows<{ unread: number; newest: string }>(
      `SELECT count(*)::int AS unread, bool_or(id = $2) AS newest FROM notifications WHERE user_id = $1 AND read_at IS NULL`,
      [door.ada.id, newest!.id],
    );
    expect(left).toEqual({ unread: 95_000, newest: false });
    for (const state of ['unread', 'read', 'archived', 'all']) {
      const plan = await planOf(state);
      expect(`${state}: ${plan}`).toContain('Index Scan');
      expect(plan).not.toContain('Seq Scan');
      const removed = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows));
      expect(Math.max(0, ...removed)).toBeLessThanOrEqual(2 * MAX_READ);
    }
  });
});

describe('live', () => {
  it('each client of the person, and of no other, is told on sockets and event streams', async () => {
    const { url } = fixture.application;
    const sockets = await Promise.all(
      [door.ada, door.grace].map(({ accessToken }) => Dashboard.signedIn(url, accessToken)),
    );
    const streams = await Promise.all(
      [door.ada, door.grace].map(async ({ accessToken: token }) =>
        (await EventStreamClient.open(url, '', { token })).joined(),
      ),
    );
    await fixture.report(door, FORCED);
    const forced = await fixture.told(door.ada, 'door_forced');
    // Two readers of the log: what is urgent waits for nothing else.
    await fixture.report(door, SILENT);
    const expected = [forced, await fixture.told(door.ada, 'device_offline')].map(
      ({ id: notificationId, kind, isUrgent }) => ({ notificationId, kind, isUrgent }),
    );
    await eventually(
      'both arrive',
      () => sockets[0]!.received.filter(({ event }) => event === 'notification').length === 2,
    );
    await eventually('both arrive on the stream', () => streams[0]!.of('notification').length === 2);
    const payloadOf = (message: unknown): unknown => (message as { payload: unknown }).payload;
    expect(
      sockets[0]!.received.filter(({ event }) => event === 'notification').map(({ message }) => payloadOf(message)),
    ).toEqual(expected);
    expect(streams[0]!.of('notification').map(payloadOf)).toEqual(expected);
    expect(sockets[1]!.received).toEqual([]);
    expect(streams[1]!.feed).toEqual([]);
    sockets.forEach(({ socket }) => socket.disconnect());
    streams.forEach((stream) => {
      stream.close();
    });
  });
});
