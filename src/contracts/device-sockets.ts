import type { CommandName } from './commands.js';
import type { DeviceEventType } from './events.js';
import type {
  AckMessage,
  DeviceEventMessage,
  HeartbeatMessage,
  ReceiptMessage,
  SettingsMessage,
  StatusMessage,
  UplinkChannel,
} from './mqtt.js';
import type { SignedOrder } from './orders.js';
import type { RefusedRequest, SocketProblem } from './realtime.js';

/**
 * The device line over Socket.IO: the messages of MQTT under names of their own. It has a path of its own, so that no device
 * is ever among dashboards, and so that a balancer can send devices to the processes that hold them.
 */
export const DEVICE_SOCKET_PATH = '/devices/socket.io/';

/** What a device sends in the Socket.IO handshake (`auth`). */
export interface DeviceHandshake {
  clientType: 'device';
  deviceId: string;
  /** The device's own, which it has from its registration. */
  token: string;
}

/** What a device says, with what it is. */
export const DEVICE_REPORTS = {
  device_register: 'The birth: the first message of a connection. With it the link is open.',
  device_heartbeat: 'The device is still there. Every 30 s: after 90 s without any the connection is closed.',
  door_status_changed: 'The state of the lock or the door changed.',
  motion_detected: 'Something moved.',
  snapshot_ready: 'A picture was taken. It is `snapshot_captured` in the history.',
  low_battery: 'The battery is low.',
  error_occurred: 'The device has a fault.',
  settings_updated: 'The settings that the device has taken.',
  custom: 'Anything else.',
  command_ack: 'What the device says of an order.',
} as const;
export type DeviceReport = keyof typeof DEVICE_REPORTS;

/** The type of event that a report is; every other report has a channel of its own. */
export const EVENT_OF_REPORT = {
  door_status_changed: 'door_status_changed',
  motion_detected: 'motion_detected',
  snapshot_ready: 'snapshot_captured',
  low_battery: 'low_battery',
  error_occurred: 'error_occurred',
  settings_updated: 'settings_updated',
  custom: 'custom',
} as const satisfies Partial<Record<DeviceReport, DeviceEventType>>;
export type EventReport = keyof typeof EVENT_OF_REPORT;

/** The channel of MQTT that carries the same. */
export const CHANNEL_OF_REPORT = {
  device_register: 'status',
  device_heartbeat: 'heartbeat',
  door_status_changed: 'events',
  motion_detected: 'events',
  snapshot_ready: 'events',
  low_battery: 'events',
  error_occurred: 'events',
  settings_updated: 'events',
  custom: 'events',
  command_ack: 'acks',
} as const satisfies Record<DeviceReport, UplinkChannel>;

/** A birth, without the `online` by which MQTT tells it from a will: the end of the connection is the will. */
export type SocketBirth = Omit<Extract<StatusMessage, { online: true }>, 'online'>;

/** One event. Its type is the name of the message. */
export type SocketEvent<T extends DeviceEventType = DeviceEventType> = Omit<DeviceEventMessage<T>, 'type'>;

/** What each of them carries. */
export type ReportBodies = {
  device_register: SocketBirth;
  device_heartbeat: HeartbeatMessage;
  command_ack: AckMessage;
} & { [R in EventReport]: SocketEvent<(typeof EVENT_OF_REPORT)[R]> };

/** How every report is answered. An event that is stored has its receipt: all of its boot up to `seq` are stored. */
export type ReportAnswer = { ok: true; receipt?: ReceiptMessage } | { error: SocketProblem };

/** Device to server, each acknowledged. */
export type DeviceReports = {
  [R in DeviceReport]: (body: ReportBodies[R], ack: (answer: ReportAnswer) => void) => void;
};

/** What a device is asked to do. Each carries the signed order that MQTT would carry, byte for byte. */
export const DEVICE_ORDERS = {
  lock_door: 'Lock.',
  unlock_door: 'Unlock, for a while or until further notice.',
  request_snapshot: 'Take a picture.',
  restart_device: 'Restart.',
  firmware_update: 'Fetch and install another firmware.',
  sync_access_codes: 'Fetch the access codes.',
} as const satisfies Record<CommandName, string>;

/** What the server says besides. */
export const DEVICE_NOTICES = {
  update_settings: 'What the device should be set to, in place of all before: after each change, and after each birth.',
  closing: 'The connection ends after this message, for the reason that it gives.',
  problem: 'A report that was sent without an acknowledgement was refused.',
} as const;
export type DeviceNotice = keyof typeof DEVICE_NOTICES;

/**
 * Server to device. The acknowledgement of an order says that it arrived, and nothing of what becomes of it. Notices have none:
 * they arrive in their order, or the connection ends.
 */
export type DeviceDownlinks = Record<CommandName, (order: SignedOrder, ack: () => void) => void> & {
  update_settings: (settings: SettingsMessage) => void;
  closing: (problem: SocketProblem) => void;
  problem: (problem: RefusedRequest) => void;
};
