import type { DeviceHeartbeat, LinkKind } from './devices.js';
import type { ExportNews } from './realtime.js';
import type { RevocationReason } from './sessions.js';

/** A heartbeat, with whose device it was when it was written. */
export interface WrittenHeartbeat extends DeviceHeartbeat {
  readonly userId: string;
  readonly organizationId: string | null;
}

/**
 * Hints between processes. They are lossy: each only makes something happen sooner that a poll, a sweep or a check at
 * the moment of acting brings about anyway.
 */
export interface SignalPayloads {
  /** Rows were appended to the event log. */
  events_appended: Record<string, never>;
  /** A device has something to be sent. */
  command_queued: { deviceId: string };
  /** What a device should be set to was changed. */
  settings_changed: { deviceId: string };
  /** An order was recorded as sent: the process that has the socket of its device sends it. */
  order_sent: { deviceId: string; commandId: string };
  /** A device connected by a socket, which replaces those of other processes. */
  device_socket_opened: { deviceId: string; socketId: string };
  /** A command reached a terminal state; its lane is free. */
  command_settled: { commandId: string; deviceId: string };
  /** Which keys sign and verify changed. */
  signing_keys_changed: Record<string, never>;
  /** A session ended: tell its sockets why, disconnect them, and drop it from caches. */
  session_revoked: { sessionId: string; reason: RevocationReason };
  /** A device may no longer talk to us: kick its links. */
  device_revoked: { deviceId: string };
  /** A device went on beyond its limits: what it sends is ignored for so long. */
  device_cut: { deviceId: string; forMs: number };
  /** Who may see or use a device changed. */
  device_access_changed: { deviceId: string };
  /** Roles in an organization changed, and so who may see or use its devices. */
  organization_access_changed: { organizationId: string };
  /** Heartbeats of devices were written together, the newest of each: those who look at one are shown it. And how many, by link. */
  heartbeats_written: { beats: readonly WrittenHeartbeat[]; byKind: Readonly<Partial<Record<LinkKind, number>>> };
  /** An export waits to be made, or one has files that are of no use any more. */
  export_waits: Record<string, never>;
  /** An export went on, or ended: its owner is shown it. */
  export_changed: ExportNews & { readonly userId: string };
  /** A webhook waits to be sent. */
  webhooks_wait: Record<string, never>;
  /** A notification waits to be sent. */
  notifications_wait: Record<string, never>;
  /** A mail waits to be sent. */
  mail_enqueued: Record<string, never>;
  /** An IP address is refused from now on. */
  address_blocked: { address: string; forMs: number };
  /** An administrator unblocked an IP address. */
  address_unblocked: { address: string };
}
export type SignalName = keyof SignalPayloads;
