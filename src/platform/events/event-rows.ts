import type { NewEvent, RoutedEvent, StoredEvent } from '../../contracts/events.js';
import { encodeLogCursor, type LogPosition, toPosition } from './log-position.js';

/** A committed event with its place in the log. */
export interface LogEntry<E extends StoredEvent = StoredEvent> {
  readonly position: LogPosition;
  readonly event: E;
}
export type RoutedEntry = LogEntry<RoutedEvent>;

export interface EventRow {
  xid: string;
  id: string;
  cursor_xid: string;
  cursor_id: string;
  received_at: Date;
  occurred_at: Date;
  type: string;
  source: string;
  device_id: string | null;
  user_id: string | null;
  actor: string;
  command_id: string | null;
  correlation_id: string | null;
  version: number;
  payload: unknown;
}

/** The oldest transaction still open: from it on, the log may still gain rows. A sub-select is evaluated only once. */
export const HORIZON = '(SELECT event_log_position(pg_snapshot_xmin(pg_current_snapshot())))';

/**
 * A reader that resumes from an event beyond the horizon must not miss what commits before it later on. Its cursor therefore
 * points at the horizon: such a reader sees a few events twice, and knows them by their id.
 */
export const EVENT_COLUMNS = `e.xid::text, e.id::text, least(e.xid, ${HORIZON})::text AS cursor_xid,
  CASE WHEN e.xid < ${HORIZON} THEN e.id ELSE 0 END::text AS cursor_id,
  e.received_at, e.occurred_at, e.type, e.source, e.device_id, e.user_id, e.actor, e.command_id, e.correlation_id,
  e.version, e.payload`;

export function toEntry(generation: string, row: EventRow): LogEntry {
  const event = {
    cursor: encodeLogCursor(generation, toPosition(row.cursor_xid, row.cursor_id)),
    id: row.id,
    type: row.type,
    payload: row.payload,
    source: row.source,
    actor: row.actor,
    deviceId: row.device_id,
    userId: row.user_id,
    commandId: row.command_id,
    correlationId: row.correlation_id,
    occurredAt: row.occurred_at.toISOString(),
    receivedAt: row.received_at.toISOString(),
    version: row.version,
  };
  // The table holds what `append` took, whose types agree; PostgreSQL cannot say so.
  return { position: toPosition(row.xid, row.id), event: event as StoredEvent };
}

/** With the organization that has its device now. */
export function toRoutedEntry(generation: string, row: EventRow & { organization_id: string | null }): RoutedEntry {
  const { position, event } = toEntry(generation, row);
  return { position, event: { ...event, organizationId: row.organization_id } };
}

/** Names as in the INSERT's record type. What is undefined does not travel and becomes NULL, or the column's default. */
export function toRecord(event: NewEvent, correlationId: string | undefined): Record<string, unknown> {
  return {
    type: event.type,
    source: event.source,
    device_id: event.deviceId,
    user_id: event.userId,
    actor: event.actor,
    command_id: event.commandId,
    correlation_id: event.correlationId ?? correlationId,
    occurred_at: event.occurredAt,
    version: event.version,
    payload: event.payload,
  };
}
