import { randomInt, randomUUID } from 'node:crypto';
import { ChatSecretsService } from '../../src/features/notifications/chat/chat-secrets.service.js';
import { UnsubscribeTokensService } from '../../src/features/notifications/email/unsubscribe-tokens.service.js';
import { PhoneNumbersService } from '../../src/features/notifications/sms/phone-numbers.service.js';
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

/** As mails to a person have it. */
function unsubscribeToken(factory: RequestFactory, userId: string): string {
  return factory.get(UnsubscribeTokensService).issue({ userId, kinds: ['low_battery'] });
}

/** As a number of a person was sent it. */
async function phoneCode(factory: RequestFactory, userId: string): Promise<string> {
  const numbers = factory.get(PhoneNumbersService);
  const [id, code, number] = [randomUUID(), numbers.makeCode(), '+4915112345678'];
  await factory.execute(
    `INSERT INTO notification_phone_codes (user_id, id, sealed, number_hash, masked, code_hash, expires_at)
     VALUES ($1, $2, $3, $4, '+49*********78', $5, now() + interval '10 minutes')`,
    [
      userId,
      id,
      numbers.seal(number, 'notification_phone_codes', userId),
      numbers.hashOf(number),
      numbers.hashOfCode(id, code),
    ],
  );
  return code;
}

const CHAT_HOOK = { url: 'https://hooks.example.com/services/T0' };

/** A person with a hook of a chat. */
async function hooked(factory: RequestFactory): Promise<InsertedAccount> {
  const [owner, hookId] = [await factory.account(), randomUUID()];
  const sealed = factory.get(ChatSecretsService).seal({ ...CHAT_HOOK, chatId: null }, hookId);
  await factory.execute(
    `INSERT INTO chat_hooks (user_id, hook_id, sealed, host) VALUES ($1, $2, $3, 'hooks.example.com')`,
    [owner.id, hookId, sealed],
  );
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
      body: { code: await phoneCode(w, owner.id) },
    };
  },
  'DELETE /notifications/phone': async (w) => ({
    path: '/notifications/phone',
    token: (await w.account()).accessToken,
  }),
  'POST /notifications/unsubscribe': async (w) => ({
    path: `/notifications/unsubscribe?token=${unsubscribeToken(w, (await w.account()).id)}`,
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
