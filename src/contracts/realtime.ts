import type { CommandName } from './commands.js';
import type { DeviceHeartbeat } from './devices.js';
import type { EventType, StoredEvent } from './events.js';
import type { FieldError } from '../shared/domain-error.js';
import type { SessionEnd } from './sessions.js';

/** What a dashboard sends in the Socket.IO handshake (`auth`). */
export interface DashboardHandshake {
  token: string;
  clientType: 'dashboard';
  /** Where an earlier connection left off: what was missed is sent again, or `resync` when that is too far back. */
  lastCursor?: string | null;
  /** Events of a short window come together, as `events`. */
  batch?: boolean;
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
  notification: 'Something was added to the notifications of the person.',
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
  signed_in_anew: null,
  password_reset: null,
  invitation_received: null,
  export_finished: null,
  notification: 'notification',
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

/** A value for each event of a frame, or the one that they share. */
export type FrameColumn<T> = T | readonly T[];

/** Several events of the feed in one message: docs/realtime.md has its decoder. */
export interface EventFrame {
  /** `generation.xid.id`, to which `xid` and `id` of the first are added; those of each other one to those before it. */
  from: string;
  /** Milliseconds since 1970, to which `received` is added. */
  since: number;
  xid: FrameColumn<number>;
  id: FrameColumn<number>;
  /** 0: it is made of the two. */
  cursor: FrameColumn<string | 0>;
  /** Place in `types`. */
  type: FrameColumn<number>;
  /** Place in `ids`. */
  device: FrameColumn<number | null>;
  command: FrameColumn<number | null>;
  /** 0: the device of the event. `user:3` and `device:3`: of the id at that place. */
  actor: FrameColumn<string | number>;
  /** Milliseconds after `since`. */
  received: FrameColumn<string | number>;
  /** Milliseconds after it was received. */
  occurred: FrameColumn<string | number>;
  version: FrameColumn<number>;
  /** Place in `shapes`, then the values of its members. `~3` is the id at that place, `~~` a text that begins with `~`. */
  payload: readonly (readonly unknown[])[];
  /** `message:type`, or the one name that both have. */
  types: readonly string[];
  /** Names of members. */
  shapes: readonly (readonly string[])[];
  /** The bytes of ids in base64url. */
  ids: readonly string[];
}

/** How far an export is. */
export interface ExportNews {
  readonly exportId: string;
  readonly state: 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';
  readonly rows: number;
  readonly percent: number;
}

/** What the server says besides the feed, with when it does. */
export const CONTROL_MESSAGES = {
  resync: 'The gap is too wide to send again: read the state over REST, then go on from this cursor (null: from now).',
  events: 'Several events of the feed at once, for a connection that asked for `batch`.',
  device_heartbeat: 'A device said how it is: live alone, not in the log, and not sent again.',
  export_progress: 'An export of the person went on, or ended: live alone, not in the log, and not sent again.',
  token_expiring:
    'The access token of the connection expires soon: present a fresh one by `refresh_token`, or the connection ends then.',
  session_ended: 'The session is over, and this the last message of the connection. To go on takes a new login.',
  closing: 'This process ends the connection for reasons of its own, after this message: connect again.',
  problem: 'A request that was sent without an acknowledgement was refused.',
} as const;
export type ControlEvent = keyof typeof CONTROL_MESSAGES;

/** What each of them carries. */
export interface ControlMessages extends Record<ControlEvent, object> {
  /** With a device: of that one alone. */
  resync: { cursor: string | null; deviceId?: string };
  events: EventFrame;
  device_heartbeat: DeviceHeartbeat;
  export_progress: ExportNews;
  token_expiring: { expiresAt: string };
  session_ended: { reason: SessionEnd };
  closing: SocketProblem;
  problem: RefusedRequest;
}

/** What event streams say besides the feed, with when they do. */
export const STREAM_MESSAGES = {
  reset: 'As `resync` on a socket: read the state again; the stream goes on from this cursor (null: from now).',
  session_ended: 'The session is over, and this the last message of the stream. To go on takes a new login.',
  closing: 'This process ends the stream for reasons of its own, after this message: come back with the last id.',
  stats: 'What is live in the process, every second; in the stream of statistics alone.',
} as const;
export type StreamEvent = keyof typeof STREAM_MESSAGES;

/** What each of them carries. */
export interface StreamMessages extends Record<StreamEvent, object> {
  reset: { cursor: string | null };
  session_ended: { reason: SessionEnd };
  closing: SocketProblem;
  /** What `GET /realtime/stats` answers. */
  stats: object;
}

/** Server to dashboard. */
export type DashboardEvents = Record<FeedEvent, (message: FeedMessage) => void> & {
  [E in ControlEvent]: (message: ControlMessages[E]) => void;
};

/** Every request of a dashboard is answered by one of these. */
export type SocketAck<A extends object = object> = ({ ok: true } & A) | { error: SocketProblem };

/** What a dashboard may ask for, with what it gets. */
export const DASHBOARD_REQUESTS = {
  subscribe_device:
    'Adds the events of a device that another user shares; those of its own devices need no subscription. With a cursor, what happened since comes first.',
  unsubscribe_device: 'Takes that back. It is no fault where there is no subscription.',
  join_organization:
    'Adds the events of the devices of an organization that the person belongs to since this connection was made. Those of earlier ones need no request.',
  send_command: 'Sends a command to a device, as `POST /api/v1/devices/{deviceId}/commands` does.',
  request_device_status: 'Reads a device, as `GET /api/v1/devices/{deviceId}` does.',
  refresh_token: 'Presents a fresh access token of the same session, before the one that the connection has expires.',
} as const;
export type DashboardRequest = keyof typeof DASHBOARD_REQUESTS;

/** What each of them carries. */
export interface RequestBodies extends Record<DashboardRequest, object> {
  subscribe_device: { deviceId: string; lastCursor?: string | null };
  unsubscribe_device: { deviceId: string };
  join_organization: { organizationId: string };
  send_command: { deviceId: string; name: CommandName; payload?: object; idempotencyKey: string };
  request_device_status: { deviceId: string };
  refresh_token: { token: string };
}

/** Requests whose acknowledgement says more than `ok`, with what it says. */
export const REQUEST_ANSWERS = {
  subscribe_device: 'The subscription stands; with `lastCursor`, everything up to this cursor was sent before.',
  send_command: 'The command, as it is now: follow `command_status`.',
  request_device_status: 'The device, as it is now.',
  refresh_token: 'The connection goes on.',
} as const satisfies Partial<Record<DashboardRequest, string>>;
export type AnsweredRequest = keyof typeof REQUEST_ANSWERS;

/** What these say. */
export interface RequestAnswers extends Record<AnsweredRequest, object> {
  /** Only where the request had a cursor. */
  subscribe_device: { cursor?: string | null };
  /** The command as REST shows it. */
  send_command: { command: object };
  /** The device as REST shows it. */
  request_device_status: { device: object };
  /** RFC 3339: when the fresh token expires. */
  refresh_token: { expiresAt: string };
}

/** What a request is answered with, besides `ok`. */
export type AnswerTo<R extends DashboardRequest> = R extends AnsweredRequest ? RequestAnswers[R] : object;

/** Dashboard to server, each acknowledged. */
export type DashboardRequests = {
  [R in DashboardRequest]: (body: RequestBodies[R], ack: (answer: SocketAck<AnswerTo<R>>) => void) => void;
};
