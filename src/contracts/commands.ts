/** Commands that share a lane wait for each other: one in flight per device and lane. */
export const COMMAND_LANES = ['bolt', 'maintenance'] as const;
export type CommandLane = (typeof COMMAND_LANES)[number];

export const SNAPSHOT_QUALITIES = ['low', 'medium', 'high'] as const;
export type SnapshotQuality = (typeof SNAPSHOT_QUALITIES)[number];

/** What each command carries. Names are the same in REST, sockets, orders and history. */
export interface CommandPayloads {
  lock_door: Record<string, never>;
  /** `durationMs`: 1000 to 30000; the lock closes again after it. Left out, it stays open. */
  unlock_door: { durationMs?: number };
  request_snapshot: { quality?: SnapshotQuality };
  restart_device: Record<string, never>;
  /** `sha256` in hex; `signature` is the vendor's over the image. */
  firmware_update: { version: string; url: string; sha256: string; signature: string };
  sync_access_codes: Record<string, never>;
}
export type CommandName = keyof CommandPayloads;

export const COMMAND_NAMES = [
  'lock_door',
  'unlock_door',
  'request_snapshot',
  'restart_device',
  'firmware_update',
  'sync_access_codes',
] as const satisfies readonly CommandName[];

export const COMMAND_STATES = [
  'QUEUED',
  'SENT',
  'RECEIVED',
  'EXECUTING',
  'EXECUTED',
  'FAILED',
  'TIMED_OUT',
  'EXPIRED',
  'CANCELLED',
] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** What shows that it happened: the device's verdict, its own report of the new state, or nothing. */
export const COMMAND_CONFIRMATIONS = ['ack', 'state_report', 'none'] as const;
export type CommandConfirmation = (typeof COMMAND_CONFIRMATIONS)[number];

/**
 * Why a command was not sent: too late, its issuer may not give it any more, or no deadline on the device can be trusted.
 * `restored`: it waited in a backup that was restored, so it may have been sent since.
 */
export const EXPIRY_REASONS = ['deadline', 'permission_revoked', 'uptime_fell', 'restored'] as const;
export type ExpiryReason = (typeof EXPIRY_REASONS)[number];

/** What a device says of an order. */
export const ACK_STATUSES = ['received', 'executing', 'executed', 'failed'] as const;
export type AckStatus = (typeof ACK_STATUSES)[number];

/** Why a lock refused an order; sent as `errorCode` of a `failed` ack. */
export const REFUSAL_CODES = [
  'bad_signature',
  'unknown_key',
  'malformed_order',
  'wrong_device',
  'wrong_boot',
  'stale_counter',
  'deadline_passed',
  'retained_message',
  'unknown_command',
  'invalid_payload',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];
