import type { CommandConfirmation, CommandName, CommandState, ExpiryReason } from './commands.js';
import type { DevicePermission, DeviceType, DoorState, LinkKind, LockState } from './devices.js';
import type { OrganizationRole } from './resources.js';

interface CommandFacts {
  name: CommandName;
  state: CommandState;
}
interface CommandVerdict extends CommandFacts {
  confirmedBy: CommandConfirmation;
  result?: unknown;
  errorCode?: string;
  errorMessage?: string;
}

/** An event of a device names no recipient. They are told by one of their own, whose payload says which device it is. */
interface ShareFacts {
  shareId: string;
  permission: DevicePermission;
  deviceId?: string;
}

/**
 * Everything that can happen, with what is recorded of it. The vocabulary is closed: history, sockets and webhooks
 * speak it alike. Types join when the capability that causes them does.
 */
export interface EventPayloads {
  device_registered: { name: string; type: DeviceType; hardwareId: string };
  /** It has a new token; its earlier ones ended. */
  device_activated: { name: string };
  device_updated: { changed: string[] };
  device_deleted: { name: string; hardwareId: string };
  share_granted: ShareFacts;
  share_changed: ShareFacts & { changed: string[] };
  /** `left`: by its recipient. `handover`: the device got another owner, or was reset. `deleted`: the device was deleted. */
  share_revoked: ShareFacts & { reason: 'revoked' | 'left' | 'handover' | 'deleted' };
  /** `previousOwnerId`: who offered it. It begins what the new owner sees. */
  device_transferred: { name: string; previousOwnerId: string };
  device_connected: { link: LinkKind; boot: string; firmwareVersion?: string };
  /** `silence`: three missed heartbeats. `will`: the broker published the device's last will. `replaced`: a new boot. */
  device_disconnected: {
    link: LinkKind;
    boot: string;
    reason: 'will' | 'silence' | 'replaced' | 'goodbye' | 'cut_off' | 'token_ended';
  };
  /** Silent for 24 hours. */
  device_inactive: { lastSeenAt: string };
  status_changed: { status: string; previous: string };
  /** A lock state that is `unknown`: the lock does not know where its bolt is. */
  door_status_changed: { lockState?: LockState | 'unknown'; doorState?: DoorState; commandId?: string; cause?: string };
  motion_detected: { confidence?: number; zone?: string };
  snapshot_captured: { reference?: string; quality?: string; commandId?: string };
  low_battery: { battery?: number };
  error_occurred: { errorCode?: string; errorMessage?: string };
  /** A device has taken its settings. */
  settings_updated: { version?: number; settings?: Record<string, unknown> };
  command_created: CommandFacts & { expiresAt: string };
  command_sent: CommandFacts & { attempt: number };
  command_received: CommandFacts;
  command_executing: CommandFacts;
  command_executed: CommandVerdict;
  command_failed: CommandVerdict;
  command_timed_out: CommandFacts;
  command_expired: CommandFacts & { reason: ExpiryReason };
  command_cancelled: CommandFacts;
  command_late_result: CommandVerdict;
  custom: Record<string, unknown>;
  /** For administrators. `userId` names the account, where the alarm is about one that exists. */
  system_alert: {
    alert: 'login_failures';
    scope: 'account' | 'overall';
    failures: number;
    windowSeconds: number;
    userId?: string;
  };
  /** For the person alone, as those that follow: a sign-in by a client that had none before. */
  signed_in_anew: { sessionId: string; client: string; address?: string };
  /** Their password was taken away, or replaced. */
  password_reset: { by: 'administrator' };
  invitation_received: {
    invitationId: string;
    organizationId: string;
    organizationName: string;
    role: OrganizationRole;
  };
  export_finished: { exportId: string; type: string; state: 'COMPLETED' | 'FAILED' };
  /** Something was added to their list of notifications. */
  notification: { notificationId: string; kind: string; isUrgent: boolean };
}
export type EventType = keyof EventPayloads;
export type PayloadOf<T extends EventType> = EventPayloads[T];

export const EVENT_TYPES = [
  'device_registered',
  'device_activated',
  'device_updated',
  'device_deleted',
  'share_granted',
  'share_changed',
  'share_revoked',
  'device_transferred',
  'device_connected',
  'device_disconnected',
  'device_inactive',
  'status_changed',
  'door_status_changed',
  'motion_detected',
  'snapshot_captured',
  'low_battery',
  'error_occurred',
  'settings_updated',
  'command_created',
  'command_sent',
  'command_received',
  'command_executing',
  'command_executed',
  'command_failed',
  'command_timed_out',
  'command_expired',
  'command_cancelled',
  'command_late_result',
  'custom',
  'system_alert',
  'signed_in_anew',
  'password_reset',
  'invitation_received',
  'export_finished',
  'notification',
] as const satisfies readonly EventType[];

/** What a device may report itself; everything else is ours to say. */
export const DEVICE_EVENT_TYPES = [
  'door_status_changed',
  'motion_detected',
  'snapshot_captured',
  'low_battery',
  'error_occurred',
  'settings_updated',
  'custom',
] as const satisfies readonly EventType[];
export type DeviceEventType = (typeof DEVICE_EVENT_TYPES)[number];

export const EVENT_SOURCES = ['mqtt', 'websocket', 'http', 'system'] as const;
export type EventSource = (typeof EVENT_SOURCES)[number];

/** Who did it: `user:<id>`, `device:<id>`, `anonymous` before a login, or `system`. */
export type Actor = `user:${string}` | `device:${string}` | 'anonymous' | 'system';

/** A fact on its way into the log. */
export type NewEvent<T extends EventType = EventType> = {
  [K in T]: {
    type: K;
    payload: EventPayloads[K];
    source: EventSource;
    actor: Actor;
    deviceId?: string;
    /** Whose feed it belongs to: the device's owner, or the person it is about. */
    userId?: string;
    commandId?: string;
    correlationId?: string;
    /** When the device says it happened; now, if it did not say. */
    occurredAt?: Date;
    /** Version of the command or device it speaks of; readers ignore older ones. */
    version?: number;
  };
}[T];

/** A committed fact. */
export type StoredEvent<T extends EventType = EventType> = {
  [K in T]: {
    /** Opaque position in the log: the same in REST, sockets and SSE. */
    cursor: string;
    id: string;
    type: K;
    payload: EventPayloads[K];
    source: EventSource;
    actor: Actor;
    deviceId: string | null;
    userId: string | null;
    commandId: string | null;
    correlationId: string | null;
    /** RFC 3339, by the device's account; equal to `receivedAt` where that says nothing plausible. */
    occurredAt: string;
    /** RFC 3339, when we committed it. */
    receivedAt: string;
    version: number;
  };
}[T];

/** A committed fact, as the live feed has it: with the organization that had its device when it was read from the log. */
export type RoutedEvent = StoredEvent & { readonly organizationId: string | null };

/** Which events concern a person: their own, and those of what they follow. */
export interface EventScope {
  readonly userId: string;
  /** Whose devices they follow, as many as there are. */
  readonly organizationIds: readonly string[];
  readonly deviceIds: readonly string[];
  /** Kinds of events that concern them whatever they are about. */
  readonly types: readonly EventType[];
  /** What is their own is not asked for: it has come already. */
  readonly withoutOwn?: true;
}
