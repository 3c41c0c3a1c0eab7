import { randomUUID } from 'node:crypto';
import type { ChangingRequest, RequestFactory } from './changing-requests.js';

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
  'POST /notifications/unsubscribe': async (w) => ({
    path: `/notifications/unsubscribe?token=${w.unsubscribeToken((await w.account()).id)}`,
  }),
};
