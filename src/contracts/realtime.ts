import type { EventType, StoredEvent } from './events.js';
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

/** Log entries by the socket event that carries them. `command_status` carries the whole life of a command. */
export const FEED_EVENTS = [
  'device_connected',
  'device_disconnected',
  'device_status',
  'door_status_changed',
  'motion_detected',
  'snapshot_captured',
  'low_battery',
  'error_occurred',
  'command_status',
  'system_alert',
] as const;
export type FeedEvent = (typeof FEED_EVENTS)[number];

/** Which socket event carries each event type; null for types that dashboards do not receive. */
export const SOCKET_EVENTS: Record<EventType, FeedEvent | null> = {
  device_registered: 'device_status',
  device_updated: 'device_status',
  device_deleted: 'device_status',
  device_inactive: 'device_status',
  status_changed: 'device_status',
  device_connected: 'device_connected',
  device_disconnected: 'device_disconnected',
  door_status_changed: 'door_status_changed',
  motion_detected: 'motion_detected',
  snapshot_captured: 'snapshot_captured',
  low_battery: 'low_battery',
  error_occurred: 'error_occurred',
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

/** A refusal, as dashboards are told. Seconds until it is worth trying again, where that helps. */
export interface SocketProblem {
  code: string;
  title: string;
  detail: string;
  status: number;
  retryAfter?: number;
}

/** Server to dashboard. */
export interface DashboardEvents extends Record<FeedEvent, (message: FeedMessage) => void> {
  /** The gap is too wide to replay: read the state again over REST, then go on from this cursor (null: from now). */
  resync: (message: { cursor: string | null }) => void;
  /** The last message of a connection whose session is over. Connecting again needs a new session. */
  session_ended: (message: { reason: SessionEnd }) => void;
  /** The last message of a connection that this process ends for reasons of its own: connect again, to whichever process. */
  closing: (message: SocketProblem) => void;
}

/** Every request of a dashboard is answered by one of these. */
export type SocketAck = { ok: true } | { error: SocketProblem };

/** Dashboard to server, each acknowledged. */
export interface DashboardRequests {
  subscribe_device: (body: { deviceId: string }, ack: (answer: SocketAck) => void) => void;
  unsubscribe_device: (body: { deviceId: string }, ack: (answer: SocketAck) => void) => void;
}
