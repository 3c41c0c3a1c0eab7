import type { StoredEvent } from './events.js';
import type { SessionEnd } from './sessions.js';

/** What a dashboard sends in the Socket.IO handshake (`auth`). */
export interface DashboardHandshake {
  token: string;
  clientType: 'dashboard';
  /** Where an earlier connection left off: what was missed is sent again, or `resync` when that is too far back. */
  lastCursor?: string;
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

/** Server to dashboard. */
export interface DashboardEvents extends Record<FeedEvent, (message: FeedMessage) => void> {
  /** The gap is too wide to replay: read the state again over REST, then go on from this cursor (null: from now). */
  resync: (message: { cursor: string | null }) => void;
  /** The last message of a connection whose session is over. Connecting again needs a new session. */
  session_ended: (message: { reason: SessionEnd }) => void;
}

/** Every request of a dashboard is answered by one of these. */
export type SocketAck = { ok: true } | { error: { code: string; title: string; detail: string; status: number } };

/** Dashboard to server, each acknowledged. */
export interface DashboardRequests {
  subscribe_device: (body: { deviceId: string }, ack: (answer: SocketAck) => void) => void;
  unsubscribe_device: (body: { deviceId: string }, ack: (answer: SocketAck) => void) => void;
}
