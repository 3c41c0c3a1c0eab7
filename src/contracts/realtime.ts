import type { EventType, StoredEvent } from './events.js';
import type { FieldError } from '../shared/domain-error.js';
import type { SessionEnd } from './sessions.js';

/** What a dashboard sends in the Socket.IO handshake (`auth`). */
export interface DashboardHandshake {
  token: string;
  clientType: 'dashboard';
  /** Where an earlier connection left off: what was missed is sent again, or `resync` when that is too far back. */
  lastCursor?: string | null;
}

/** A log entry as a dashboard receives it: the event's own payload, with its place in the log. */
export type FeedMessage<E extends StoredEvent = StoredEvent> = Pick<
  E,
  'cursor' | 'id' | 'type' | 'payload' | 'deviceId' | 'commandId' | 'actor' | 'occurredAt' | 'receivedAt' | 'version'
>;

/** The socket events that carry log entries, with what each says. */
export const FEED_MESSAGES = {
  device_connected: 'A device is there: its first link was opened, or it started anew.',
  device_disconnected: 'The last link of a device was closed, or it started anew.',
  device_status:
    'A device was registered, activated, changed, set, shared, handed on or deleted, or its status changed.',
  door_status_changed: 'A device reported another state of its lock or door.',
  motion_detected: 'A device saw something move.',
  snapshot_captured: 'A camera took a picture.',
  low_battery: 'The battery of a device is low.',
  error_occurred: 'A device reported a fault of its own.',
  command_status: 'A command went on: one message for each step of its life.',
  system_alert: 'An alarm about the installation, for administrators.',
} as const;
export type FeedEvent = keyof typeof FEED_MESSAGES;

/** Which socket event carries each event type; null for types that dashboards do not receive. */
export const SOCKET_EVENTS: Record<EventType, FeedEvent | null> = {
  device_registered: 'device_status',
  device_activated: 'device_status',
  device_updated: 'device_status',
  device_deleted: 'device_status',
  share_granted: 'device_status',
  share_changed: 'device_status',
  share_revoked: 'device_status',
  device_transferred: 'device_status',
  device_inactive: 'device_status',
  status_changed: 'device_status',
  device_connected: 'device_connected',
  device_disconnected: 'device_disconnected',
  door_status_changed: 'door_status_changed',
  motion_detected: 'motion_detected',
  snapshot_captured: 'snapshot_captured',
  low_battery: 'low_battery',
  error_occurred: 'error_occurred',
  settings_updated: 'device_status',
  command_created: 'command_status',
  command_sent: 'command_status',
  command_received: 'command_status',
  command_executing: 'command_status',
  command_executed: 'command_status',
  command_failed: 'command_status',
  command_timed_out: 'command_status',
  command_expired: 'command_status',
  command_cancelled: 'command_status',
  command_late_result: 'command_status',
  custom: null,
  system_alert: 'system_alert',
};

/** Where people listen to the feed: each hears those rooms that concern them. */
export type FeedRoom = `user:${string}` | `organization:${string}` | `device:${string}` | 'role:ADMIN';

/** A refusal, as dashboards are told: a problem document (RFC 9457) with its code. */
export interface SocketProblem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  /** Faults by member, where the handshake or the body of a request was at fault. */
  errors?: readonly FieldError[];
  /** Why the session is over, where it is. */
  reason?: string;
  /** Seconds until it is worth trying again, where that helps. */
  retryAfter?: number;
}

/** The refusal of a request that was sent without an acknowledgement. */
export interface RefusedRequest extends SocketProblem {
  /** Its name, cut to 64 characters. */
  request: string;
}

/** What the server says besides the feed, with when it does. */
export const CONTROL_MESSAGES = {
  resync: 'The gap is too wide to send again: read the state over REST, then go on from this cursor (null: from now).',
  session_ended: 'The session is over, and this the last message of the connection. To go on takes a new login.',
  closing: 'This process ends the connection for reasons of its own, after this message: connect again.',
  problem: 'A request that was sent without an acknowledgement was refused.',
} as const;
export type ControlEvent = keyof typeof CONTROL_MESSAGES;

/** What each of them carries. */
export interface ControlMessages extends Record<ControlEvent, object> {
  resync: { cursor: string | null };
  session_ended: { reason: SessionEnd };
  closing: SocketProblem;
  problem: RefusedRequest;
}

/** Server to dashboard. */
export type DashboardEvents = Record<FeedEvent, (message: FeedMessage) => void> & {
  [E in ControlEvent]: (message: ControlMessages[E]) => void;
};

/** Every request of a dashboard is answered by one of these. */
export type SocketAck = { ok: true } | { error: SocketProblem };

/** What a dashboard may ask for, with what it gets. */
export const DASHBOARD_REQUESTS = {
  subscribe_device:
    'Adds the events of a device that another user shares; those of its own devices need no subscription.',
  unsubscribe_device: 'Takes that back. It is no fault where there is no subscription.',
} as const;
export type DashboardRequest = keyof typeof DASHBOARD_REQUESTS;

/** What each of them carries. */
export interface RequestBodies extends Record<DashboardRequest, object> {
  subscribe_device: { deviceId: string };
  unsubscribe_device: { deviceId: string };
}

/** Dashboard to server, each acknowledged. */
export type DashboardRequests = {
  [R in DashboardRequest]: (body: RequestBodies[R], ack: (answer: SocketAck) => void) => void;
};
