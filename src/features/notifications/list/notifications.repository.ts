import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import type { Notification, NotificationDelivery, NotificationKind } from '../notifications.types.js';

const COLUMNS = `n.id, n.kind, n.is_urgent AS "isUrgent", n.device_id AS "deviceId", n.subject_id AS "subjectId", n.values,
  n.occurrences, n.occurred_at AS "occurredAt", n.last_at AS "lastAt", n.created_at AS "createdAt", n.read_at AS "readAt",
  n.archived_at AS "archivedAt"`;

/** As many unread ones are counted. */
export const MAX_COUNTED = 10_000;
/** As many are read at once: some 150 ms, for which the feed of all people waits. */
export const MAX_READ = 5_000;

/** The lists in which a notification may stand. */
export const LIST_STATES = ['unread', 'read', 'archived'] as const;
export type ListState = (typeof LIST_STATES)[number];

/** What is missing narrows nothing. */
export interface NotificationFilter {
  readonly state?: ListState | undefined;
  readonly kind?: NotificationKind | undefined;
  readonly deviceId?: string | undefined;
}

const CONDITIONS: Readonly<Record<ListState | 'all', string>> = {
  unread: 'n.read_at IS NULL AND n.archived_at IS NULL',
  read: 'n.read_at IS NOT NULL AND n.archived_at IS NULL',
  archived: 'n.archived_at IS NOT NULL',
  all: 'n.archived_at IS NULL',
};

// SQL: a keyset
const listSql = (state: ListState | 'all'): string => `
  SELECT ${COLUMNS} FROM notifications n
  WHERE n.user_id = $1 AND n.is_in_app AND ${CONDITIONS[state]}
    AND ($3::timestamptz IS NULL OR (n.created_at, n.id) < ($3::timestamptz, $4::uuid))
    AND ($5::text IS NULL OR n.kind = $5) AND ($6::uuid IS NULL OR n.device_id = $6)
  ORDER BY n.created_at DESC, n.id DESC LIMIT $2`;

// SQL: one round trip on a hot path: the number on the bell of each page
const UNREAD = `
  SELECT count(*)::int AS unread FROM (
    SELECT FROM notifications n WHERE n.user_id = $1 AND n.is_in_app AND ${CONDITIONS.unread} LIMIT $2) counted`;

const IS_THEIRS = 'n.user_id = $1 AND n.id = $2 AND n.is_in_app';

// SQL: database time
const FIND = `SELECT ${COLUMNS} FROM notifications n WHERE ${IS_THEIRS}`;

/** Null: as it is. What is set already keeps its time. */
// SQL: database time
const UPDATE = `
  UPDATE notifications n SET
    read_at = CASE WHEN $3::boolean THEN coalesce(n.read_at, now()) WHEN $3 IS NULL THEN n.read_at END,
    archived_at = CASE WHEN $4::boolean THEN coalesce(n.archived_at, now()) WHEN $4 IS NULL THEN n.archived_at END
  WHERE ${IS_THEIRS} RETURNING ${COLUMNS}`;

/** Locked in the order of their ids, so that two of these, or one and what is told meanwhile, never wait for each other. */
// SQL: a lock
const READ_ALL = `
  WITH theirs AS (
    SELECT n.id FROM notifications n WHERE n.read_at IS NULL AND n.id IN (
      SELECT n.id FROM notifications n
      WHERE n.user_id = $1 AND n.is_in_app AND ${CONDITIONS.unread} AND n.created_at <= coalesce($2::timestamptz, now())
      ORDER BY n.created_at DESC, n.id DESC LIMIT $3)
    ORDER BY n.id FOR NO KEY UPDATE
  ), marked AS (
    UPDATE notifications n SET read_at = now() FROM theirs t WHERE n.id = t.id RETURNING n.id
  ) SELECT count(*)::int AS count FROM marked`;

// SQL: database time
const DELIVERIES = `
  SELECT d.channel, CASE WHEN d.suppressed IS NULL THEN m.state ELSE 'SUPPRESSED' END AS state,
    coalesce(d.suppressed, m.reason) AS reason, m.id AS "messageId", m.attempts,
    CASE WHEN m.state = 'PENDING' AND d.suppressed IS NULL THEN m.next_attempt_at END AS "nextAttemptAt",
    m.last_error AS "lastError", m.created_at AS "createdAt", m.finished_at AS "finishedAt"
  FROM notification_deliveries d JOIN notification_messages m ON m.id = d.message_id
  WHERE d.notification_id = $1 ORDER BY d.channel`;

// SQL: database time
const PURGE = `
  DELETE FROM notifications WHERE id IN (
    SELECT id FROM notifications WHERE created_at < now() - $2 * interval '1 millisecond' LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

type NotificationRow = Notification & Record<string, unknown>;

/** The notifications of a person, as they see them in the app. */
@Injectable()
export class NotificationsRepository {
  constructor(private readonly database: Database) {}

  /** Newest first, one more than `limit` if there are more. */
  list(
    userId: string,
    { state, kind, deviceId }: NotificationFilter,
    limit: number,
    after: CreationPosition | null,
  ): Promise<Notification[]> {
    const which = state ?? 'all';
    const values = [userId, limit + 1, ...(after ?? [null, null]), kind ?? null, deviceId ?? null];
    return this.database.query<NotificationRow>(`notifications_list_${which}`, listSql(which), values);
  }

  /** Up to {@link MAX_COUNTED}. */
  async countUnread(userId: string): Promise<number> {
    const [row] = await this.database.queryHot<{ unread: number }>('notifications_unread', UNREAD, [
      userId,
      MAX_COUNTED,
    ]);
    return row?.unread ?? 0;
  }

  async find(userId: string, id: string): Promise<Notification | null> {
    const [row] = await this.database.query<NotificationRow>('notifications_find', FIND, [userId, id]);
    return row ?? null;
  }

  /** Null where they have none of the id. */
  async update(
    userId: string,
    id: string,
    { read, archived }: { readonly read?: boolean | undefined; readonly archived?: boolean | undefined },
  ): Promise<Notification | null> {
    const values = [userId, id, read ?? null, archived ?? null];
    const [row] = await this.database.query<NotificationRow>('notifications_update', UPDATE, values);
    return row ?? null;
  }

  /** Of the unread ones, the newest {@link MAX_READ}. @param until when the last of them came; null: now. @returns how many */
  async readAll(userId: string, until: string | null): Promise<number> {
    const [row] = await this.database.query<{ count: number }>('notifications_read_all', READ_ALL, [
      userId,
      until,
      MAX_READ,
    ]);
    return row?.count ?? 0;
  }

  deliveriesOf(id: string): Promise<NotificationDelivery[]> {
    return this.database.query<NotificationDelivery & Record<string, unknown>>('notifications_sent', DELIVERIES, [id]);
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('notifications_purge', PURGE, [limit, keptMs])).length;
  }
}
