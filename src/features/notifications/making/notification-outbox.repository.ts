import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import type { DigestWindow } from '../domain/digest-window.js';
import type { HeldNotification } from '../domain/repetition.js';
import type { NotificationChannelName, NotificationKind, NotificationValues } from '../notifications.types.js';

/** A notification to be added. */
export interface NewNotification {
  readonly id: string;
  readonly userId: string;
  readonly kind: NotificationKind;
  readonly isUrgent: boolean;
  readonly eventType: string;
  readonly eventUserId: string | null;
  readonly deviceId: string | null;
  readonly subjectId: string | null;
  readonly values: NotificationValues;
  readonly dedupKey: string | null;
  readonly occurrences: number;
  readonly occurredAt: string;
  readonly lastAt: string;
  readonly isInApp: boolean;
}

/** A message to be sent, when it is due. */
export interface NewMessage {
  readonly id: string;
  readonly userId: string;
  readonly channel: NotificationChannelName;
  readonly isUrgent: boolean;
  /** Milliseconds since 1970. */
  readonly dueMs: number;
}

/** A person, and a channel to them: what is urgent has a window of its own. */
export interface WindowOwner {
  readonly userId: string;
  readonly channel: NotificationChannelName;
  readonly isUrgent: boolean;
}

/** How it stands between a person and a channel, by the clock of the database. */
export type OpenWindow = WindowOwner & DigestWindow & { readonly nowMs: number };

/** What a person was told of before, and what it was about. */
export interface EarlierNotification extends HeldNotification {
  readonly deviceId: string | null;
  readonly occurredAt: Date;
}

/** What was told once more. */
export interface Repetition {
  readonly id: string;
  readonly count: number;
  readonly lastAt: string;
  readonly values: NotificationValues;
}

const inMs = (time: string): string => `(extract(epoch FROM ${time}) * 1000)::float8`;

/** In the order of their ids, in which `POST /notifications/read` locks them, too. */
// SQL: a lock
const HELD = `
  SELECT n.id, n.user_id AS "userId", n.dedup_key AS "dedupKey", ${inMs('now() - n.created_at')} AS "ageMs",
    n.device_id AS "deviceId", n.occurred_at AS "occurredAt"
  FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}) AS a(user_id, dedup_key)
  JOIN notifications n ON n.user_id = a.user_id AND n.dedup_key = a.dedup_key
  ORDER BY n.id FOR NO KEY UPDATE OF n`;

/** What it says is what it was last: what a device kept for hours is none of that. */
// SQL: a set-based batch
const REPEAT = `
  UPDATE notifications n SET occurrences = n.occurrences + r.count, last_at = greatest(n.last_at, r.last_at),
    values = CASE WHEN r.last_at >= n.last_at THEN r.values ELSE n.values END
  FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, count int, last_at timestamptz, values jsonb) WHERE n.id = r.id`;

// SQL: a set-based batch
const OUTDATE = `UPDATE notifications SET dedup_key = NULL WHERE id = ANY (${arrayParam(1, 'uuid')})`;

// SQL: a set-based batch
const ADD = `
  INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, device_id, subject_id, values, dedup_key,
    occurrences, occurred_at, last_at, is_in_app)
  SELECT id, "userId", kind, "isUrgent", "eventType", "eventUserId", "deviceId", "subjectId", values, "dedupKey", occurrences,
    "occurredAt", "lastAt", "isInApp"
  FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, "userId" uuid, kind text, "isUrgent" boolean, "eventType" text,
    "eventUserId" uuid, "deviceId" uuid, "subjectId" uuid, values jsonb, "dedupKey" text, occurrences int,
    "occurredAt" timestamptz, "lastAt" timestamptz, "isInApp" boolean)`;

// SQL: a set-based batch
const ADD_MESSAGES = `
  INSERT INTO notification_messages (id, user_id, channel, is_urgent, next_attempt_at)
  SELECT id, "userId", channel, "isUrgent", to_timestamp("dueMs" / 1000.0)
  FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, "userId" uuid, channel text, "isUrgent" boolean, "dueMs" float8)`;

// SQL: a set-based batch
const ADD_DELIVERIES = `
  INSERT INTO notification_deliveries (notification_id, channel, message_id)
  SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'uuid')})`;

const OWNERS = `unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'boolean')}) AS a(user_id, channel, is_urgent)`;

/** A message that has begun to be sent takes nothing more: one that has not does not begin until the end of the transaction. */
// SQL: a lock
const LOCK_WAITING = `
  SELECT m.id FROM notification_messages m
  WHERE m.id IN (
    SELECT w.message_id FROM ${OWNERS} JOIN notification_windows w USING (user_id, channel, is_urgent))
    AND m.state = 'PENDING' AND m.attempts = 0
  ORDER BY m.id FOR NO KEY UPDATE`;

// SQL: a set-based batch
const WINDOWS = `
  SELECT user_id AS "userId", channel, is_urgent AS "isUrgent", ${inMs('now()')} AS "nowMs",
    CASE WHEN w.open_until > now() OR w.message_id = ANY (${arrayParam(4, 'uuid')}) THEN ${inMs('w.open_until')} END AS "openUntilMs",
    CASE WHEN w.message_id = ANY (${arrayParam(4, 'uuid')}) THEN w.message_id END AS "messageId", coalesce(w.items, 0) AS items
  FROM ${OWNERS} LEFT JOIN notification_windows w USING (user_id, channel, is_urgent)`;

// SQL: a set-based batch
const SAVE_WINDOWS = `
  INSERT INTO notification_windows (user_id, channel, is_urgent, open_until, message_id, items)
  SELECT "userId", channel, "isUrgent", to_timestamp("openUntilMs" / 1000.0), "messageId", items
  FROM jsonb_to_recordset($1::jsonb) AS r("userId" uuid, channel text, "isUrgent" boolean, "openUntilMs" float8, "messageId" uuid,
    items int)
  ORDER BY 1, 2, 3
  ON CONFLICT (user_id, channel, is_urgent) DO UPDATE SET open_until = EXCLUDED.open_until, message_id = EXCLUDED.message_id,
    items = EXCLUDED.items`;

/** Adds notifications and their messages, all of a batch with a few statements. Part of the surrounding transaction. */
@Injectable()
export class NotificationOutboxRepository {
  constructor(private readonly database: Database) {}

  /** What these people were told last that has one of these keys. It changes for no one else until the end of the transaction. */
  held(people: readonly { readonly userId: string; readonly dedupKey: string }[]): Promise<EarlierNotification[]> {
    return this.database.query<EarlierNotification & Record<string, unknown>>('notifications_held', HELD, [
      people.map(({ userId }) => userId),
      people.map(({ dedupKey }) => dedupKey),
    ]);
  }

  async repeat(repetitions: readonly Repetition[]): Promise<void> {
    const rows = repetitions.map(({ lastAt, ...rest }) => ({ ...rest, last_at: lastAt }));
    await this.database.query('notifications_repeat', REPEAT, [JSON.stringify(rows)]);
  }

  /** No other event is told by these any more. */
  async outdate(ids: readonly string[]): Promise<void> {
    await this.database.query('notifications_outdate', OUTDATE, [ids]);
  }

  async add(notifications: readonly NewNotification[]): Promise<void> {
    await this.database.query('notifications_add', ADD, [JSON.stringify(notifications)]);
  }

  /** In the order of what was asked about. What is collected in them is not sent until the end of the transaction. */
  async lockWindows(owners: readonly WindowOwner[]): Promise<OpenWindow[]> {
    const asked = [
      owners.map(({ userId }) => userId),
      owners.map(({ channel }) => channel),
      owners.map(({ isUrgent }) => isUrgent),
    ];
    const waiting = await this.database.query<{ id: string }>('notification_windows_lock', LOCK_WAITING, asked);
    const values = [...asked, waiting.map(({ id }) => id)];
    return this.database.query<OpenWindow & Record<string, unknown>>('notification_windows', WINDOWS, values);
  }

  async saveWindows(windows: readonly (WindowOwner & DigestWindow)[]): Promise<void> {
    await this.database.query('notification_windows_save', SAVE_WINDOWS, [JSON.stringify(windows)]);
  }

  async addMessages(messages: readonly NewMessage[]): Promise<void> {
    await this.database.query('notification_messages_add', ADD_MESSAGES, [JSON.stringify(messages)]);
  }

  /** @param deliveries which notification goes with which message */
  async addDeliveries(
    deliveries: readonly { readonly notificationId: string; readonly channel: string; readonly messageId: string }[],
  ): Promise<void> {
    await this.database.query('notification_deliveries_add', ADD_DELIVERIES, [
      deliveries.map(({ notificationId }) => notificationId),
      deliveries.map(({ channel }) => channel),
      deliveries.map(({ messageId }) => messageId),
    ]);
  }
}
