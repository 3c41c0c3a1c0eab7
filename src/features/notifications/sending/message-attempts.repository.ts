import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { canActSql } from '../../users/account-standing.types.js';
import type {
  MessageState,
  NotificationChannelName,
  NotificationKind,
  NotificationValues,
  Suppression,
} from '../notifications.types.js';

/** An attempt that says nothing for so long has lost its worker. What it has under way is taken by another one: see docs/notifications.md. */
export const MESSAGE_LEASE_MS = 1_500;
const LEASE = `${String(MESSAGE_LEASE_MS)} * interval '1 millisecond'`;
const IS_DUE = `state = 'PENDING' AND next_attempt_at <= now()`;
/** Begun, not settled, and its lease over: or it was put off, which is taken for the same, and does no harm. They have an index. */
const IS_LOST = `${IS_DUE} AND attempts > failures`;

/** How it stands with each lane: one for each channel, the urgent apart. By steps through the index. */
// SQL: a keyset
const LANES = `
  SELECT * FROM (
    SELECT c.channel, u.is_urgent AS "isUrgent",
      EXISTS (SELECT FROM notification_messages m
        WHERE m.channel = c.channel AND m.is_urgent = u.is_urgent AND ${IS_DUE}) AS "isDue",
      EXISTS (SELECT FROM notification_messages m
        WHERE m.channel = c.channel AND m.is_urgent = u.is_urgent AND ${IS_LOST}) AS "isLost",
      (SELECT extract(epoch FROM m.next_attempt_at - now()) * 1000 FROM notification_messages m
        WHERE m.channel = c.channel AND m.is_urgent = u.is_urgent AND m.state = 'PENDING' AND m.next_attempt_at > now()
        ORDER BY m.next_attempt_at LIMIT 1)::float8 AS "nextInMs"
    FROM unnest(${arrayParam(1, 'text')}) AS c(channel), (VALUES (true), (false)) AS u(is_urgent)) l
  WHERE "isDue" OR "nextInMs" IS NOT NULL ORDER BY "isUrgent" DESC`;

/** Each attempt has one winner. What is in the messages comes with them: the oldest first. */
const beginThose = (which: string): string => `
  WITH begun AS (
    UPDATE notification_messages m SET attempts = m.attempts + 1, next_attempt_at = now() + ${LEASE}
    WHERE m.id IN (
      SELECT id FROM notification_messages WHERE channel = $1 AND is_urgent = $2 AND ${which}
      ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING m.id, m.user_id, m.channel, m.is_urgent, m.attempts, m.failures)
  SELECT b.id, b.user_id AS "userId", b.channel, b.is_urgent AS "isUrgent", b.attempts AS attempt, b.failures,
    ${canActSql('u')} AS "canAct", (extract(epoch FROM now()) * 1000)::float8 AS "nowMs",
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'kind', n.kind, 'values', n.values, 'eventType', n.event_type,
        'eventUserId', n.event_user_id, 'deviceId', n.device_id, 'occurredAt', n.occurred_at, 'lastAt', n.last_at,
        'occurrences', n.occurrences) ORDER BY n.id), '[]')
      FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
      WHERE d.message_id = b.id AND d.suppressed IS NULL) AS items
  FROM begun b JOIN users u ON u.id = b.user_id`;
// SQL: a lock
const BEGIN = beginThose(IS_DUE);
// SQL: a lock
const TAKE_OVER = beginThose(IS_LOST);

// SQL: database time
const RENEW = `
  UPDATE notification_messages m SET next_attempt_at = now() + ${LEASE}
  FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'int')}) AS r(id, attempt)
  WHERE m.id = r.id AND m.attempts = r.attempt AND m.state = 'PENDING' RETURNING m.id`;

// SQL: a set-based batch
const LEAVE_OUT = `
  UPDATE notification_deliveries d SET suppressed = r.reason
  FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'text')}) AS r(message_id, notification_id, reason)
  WHERE d.message_id = r.message_id AND d.notification_id = r.notification_id`;

/** Only while it is the latest attempt. */
// SQL: a set-based batch
const SETTLE = `
  UPDATE notification_messages m SET state = r.state, reason = r.reason, provider_id = r."providerId", last_error = r.error,
    failures = m.failures + CASE WHEN r.error IS NULL THEN 0 ELSE 1 END,
    finished_at = CASE WHEN r.state <> 'PENDING' THEN now() END,
    next_attempt_at = CASE WHEN r.state = 'PENDING' THEN now() + r."delayMs" * interval '1 millisecond' ELSE m.next_attempt_at END
  FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, attempt int, state text, reason text, "providerId" text, error text,
    "delayMs" float8)
  WHERE m.id = r.id AND m.attempts = r.attempt AND m.state = 'PENDING'
  RETURNING m.id, m.state, (extract(epoch FROM now()) * 1000)::float8 AS "settledMs"`;

// SQL: database time
const BACKLOG = `
  SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8 AS "oldestS"
  FROM notification_messages WHERE state = 'PENDING' AND (next_attempt_at <= now() OR attempts > 0)`;

/** A notification in a message. */
export interface MessageItem {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly values: NotificationValues;
  readonly eventType: string;
  readonly eventUserId: string | null;
  readonly deviceId: string | null;
  /** RFC 3339, as the next. */
  readonly occurredAt: string;
  readonly lastAt: string;
  readonly occurrences: number;
}

/** Where messages wait for their turn. */
export interface MessageLane {
  readonly channel: NotificationChannelName;
  readonly isUrgent: boolean;
}

/** How it stands with a lane. */
export interface LaneState extends MessageLane {
  readonly isDue: boolean;
  /** Something was under way, and its worker is gone. */
  readonly isLost: boolean;
  /** Until something will be due, or lost; null: nothing will. */
  readonly nextInMs: number | null;
}

/** What a job sends. */
export interface LaneJob extends MessageLane {
  /** First, what a worker had under way that is gone. */
  readonly takesOver: boolean;
}

/** An attempt to send a message that has begun. */
export interface MessageAttempt extends MessageLane {
  readonly id: string;
  readonly userId: string;
  /** From 1. */
  readonly attempt: number;
  /** Of earlier attempts. */
  readonly failures: number;
  readonly canAct: boolean;
  /** By the clock of the database. */
  readonly nowMs: number;
  readonly items: readonly MessageItem[];
}

type AttemptRow = MessageAttempt & Record<string, unknown>;

/** What becomes of a message by an attempt. */
export interface Settlement {
  readonly id: string;
  readonly attempt: number;
  readonly state: MessageState;
  readonly reason: Suppression | null;
  readonly providerId: string | null;
  /** Why the attempt failed; null: it did not. */
  readonly error: string | null;
  /** Of what stays pending: when the next attempt is due. */
  readonly delayMs: number | null;
}

/** A message whose state an attempt has decided. */
export interface SettledMessage {
  readonly id: string;
  readonly state: MessageState;
  /** When, by the clock of the database. */
  readonly settledMs: number;
}

/** What is left out of a message. */
export interface LeftOut {
  readonly messageId: string;
  readonly notificationId: string;
  readonly reason: Suppression;
}

/** The attempts to send messages. What an attempt changes is changed only while it is the latest. */
@Injectable()
export class MessageAttemptsRepository {
  constructor(private readonly database: Database) {}

  /** Lanes of which something waits, what is urgent first. */
  lanes(channels: readonly NotificationChannelName[]): Promise<LaneState[]> {
    return this.database.query<LaneState & Record<string, unknown>>('notification_lanes', LANES, [channels]);
  }

  /** What is due longest, which no other process is given while the attempts are renewed. */
  async begin({ channel, isUrgent, takesOver }: LaneJob, limit: number): Promise<MessageAttempt[]> {
    const values = [channel, isUrgent, limit];
    const lost = takesOver ? await this.database.query<AttemptRow>('notification_take_over', TAKE_OVER, values) : [];
    return lost.length > 0 ? lost : this.database.query<AttemptRow>('notification_begin', BEGIN, values);
  }

  /** @returns the messages that are still those of their attempts */
  async renew(attempts: readonly MessageAttempt[]): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>('notification_renew', RENEW, [
      attempts.map(({ id }) => id),
      attempts.map(({ attempt }) => attempt),
    ]);
    return rows.map(({ id }) => id);
  }

  async leaveOut(items: readonly LeftOut[]): Promise<void> {
    await this.database.query('notification_leave_out', LEAVE_OUT, [
      items.map(({ messageId }) => messageId),
      items.map(({ notificationId }) => notificationId),
      items.map(({ reason }) => reason),
    ]);
  }

  /** @returns those of which this attempt was the latest. */
  settle(settlements: readonly Settlement[]): Promise<SettledMessage[]> {
    return this.database.query<SettledMessage & Record<string, unknown>>('notification_settle', SETTLE, [
      JSON.stringify(settlements),
    ]);
  }

  /** Messages whose time has come, and for how long that of the oldest has. */
  async backlog(): Promise<{ waiting: number; oldestS: number }> {
    const [row] = await this.database.query<{ waiting: number; oldestS: number }>('notification_backlog', BACKLOG);
    return row ? { waiting: row.waiting, oldestS: Math.max(0, row.oldestS) } : { waiting: 0, oldestS: 0 };
  }
}
