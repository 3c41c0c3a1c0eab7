import { randomInt, randomUUID } from 'node:crypto';
import type { InsertedAccount } from './accounts.fixture.js';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';
import { nowS, signedHeaders } from './mail-events.js';

/** Adds a notification of a person: its id. */
export async function insertNotification(
  execute: (sql: string, values: unknown[]) => Promise<unknown>,
  userId: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const id = randomUUID();
  await execute(
    `INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, values, occurred_at, last_at, is_in_app)
     VALUES ($1, $2, 'password_reset', true, 'password_reset', $2, $3, now(), now(), true)`,
    [id, userId, JSON.stringify(values)],
  );
  return id;
}

/** Adds a push subscription of a person, of one of their sessions: its id. */
export async function insertPushSubscription(
  execute: (sql: string, values: unknown[]) => Promise<unknown>,
  userId: string,
  userAgent = 'jest',
): Promise<string> {
  const id = randomUUID();
  await execute(
    `INSERT INTO push_subscriptions (id, user_id, session_id, service, sealed, token_hash, ending, user_agent)
     SELECT $1, $2, id, 'fcm', '', uuid_send($1), 'abcd', $3 FROM sessions WHERE user_id = $2 LIMIT 1`,
    [id, userId, userAgent],
  );
  return id;
}

const CHAT_HOOK = { url: 'https://hooks.example.com/services/T0' };

/** A person with a hook of a chat. */
async function hooked(factory: RequestFactory): Promise<InsertedAccount> {
  const owner = await factory.account();
  await factory.change(owner, 'PUT', '/notifications/chat', CHAT_HOOK);
  return owner;
}

/** Requests that change something about notifications. */
export const NOTIFICATION_CHANGES: Readonly<Record<string, (factory: RequestFactory) => Promise<ChangingRequest>>> = {
  'PATCH /notifications/:notificationId': async (w) => {
    const owner = await w.account();
    const id = await insertNotification((sql, values) => w.execute(sql, values), owner.id);
    return { path: `/notifications/${id}`, token: owner.accessToken, body: { read: true } };
  },
  'POST /notifications/read': async (w) => ({
    path: '/notifications/read',
    token: (await w.account()).accessToken,
    body: { until: '2026-12-06T08:00:00Z' },
  }),
  'PATCH /notifications/preferences': async (w) => ({
    path: '/notifications/preferences',
    token: (await w.account()).accessToken,
    body: { items: [{ kind: 'low_battery', channel: 'email', enabled: false }] },
  }),
  'PUT /notifications/chat': async (w) => ({
    path: '/notifications/chat',
    token: (await w.account()).accessToken,
    body: CHAT_HOOK,
  }),
  'DELETE /notifications/chat': async (w) => ({
    path: '/notifications/chat',
    token: (await hooked(w)).accessToken,
  }),
  'POST /notifications/chat/test': async (w) => ({
    path: '/notifications/chat/test',
    token: (await hooked(w)).accessToken,
  }),
  'POST /notifications/mail-events': async (w) => {
    const body = [{ email: (await w.account()).email, timestamp: nowS(), event: 'bounce', type: 'bounce' }];
    return { path: '/notifications/mail-events', body, headers: signedHeaders(JSON.stringify(body)) };
  },
  'DELETE /notifications/mail-suppression': async (w) => ({
    path: '/notifications/mail-suppression',
    token: (await w.account()).accessToken,
  }),
  'PUT /notifications/phone': async (w) => ({
    path: '/notifications/phone',
    token: (await w.account()).accessToken,
    body: { number: `+491511${String(randomInt(1_000_000, 9_999_999))}` },
  }),
  'POST /notifications/phone/confirm': async (w) => {
    const owner = await w.account();
    return {
      path: '/notifications/phone/confirm',
      token: owner.accessToken,
      body: { code: await w.phoneCode(owner.id) },
    };
  },
  'DELETE /notifications/phone': async (w) => ({
    path: '/notifications/phone',
    token: (await w.account()).accessToken,
  }),
  'POST /notifications/unsubscribe': async (w) => ({
    path: `/notifications/unsubscribe?token=${w.unsubscribeToken((await w.account()).id)}`,
  }),
  'POST /notifications/push/subscriptions': async (w) => ({
    path: '/notifications/push/subscriptions',
    token: (await w.account()).accessToken,
    body: {
      service: 'web_push',
      endpoint: `https://push.example.com/${randomUUID()}`,
      keys: {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg',
      },
    },
  }),
  'DELETE /notifications/push/subscriptions/:subscriptionId': async (w) => {
    const owner = await w.account();
    const id = await insertPushSubscription((sql, values) => w.execute(sql, values), owner.id);
    return { path: `/notifications/push/subscriptions/${id}`, token: owner.accessToken };
  },
};
