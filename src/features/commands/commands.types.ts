import {
  type AckStatus,
  type CommandConfirmation,
  type CommandLane,
  type CommandName,
  type CommandPayloads,
  type CommandState,
} from '../../contracts/commands.js';
import { type DevicePermission } from '../../contracts/devices.js';

/** A command with its payload, before it is queued. */
export type CommandRequest = { [N in CommandName]: { name: N; payload: CommandPayloads[N] } }[CommandName];

/** A request to queue a command. */
export type CommandSubmission = CommandRequest & {
  deviceId: string;
  /** The user who gives it. */
  issuerId: string;
  /** What that user may do with the device. */
  permission: DevicePermission;
};

/** The cancelling of a command by a user. */
export interface Cancellation {
  deviceId: string;
  commandId: string;
  userId: string;
}

/** A verdict that came after TIMED_OUT. */
export interface LateResult {
  status: Extract<AckStatus, 'executed' | 'failed'>;
  result?: Record<string, unknown>;
  errorCode?: string;
  errorMessage?: string;
  /** RFC 3339. */
  receivedAt: string;
}

/** A command to one device. */
export interface Command {
  id: string;
  deviceId: string;
  /** The user who gave it; null once the account is deleted. */
  issuerId: string | null;
  name: CommandName;
  lane: CommandLane;
  payload: Record<string, unknown>;
  state: CommandState;
  /** How often it was sent. */
  attempts: number;
  confirmedBy: CommandConfirmation;
  result: Record<string, unknown> | null;
  errorCode: string | null;
  errorMessage: string | null;
  lateResult: LateResult | null;
  /** After it, the command is not sent any more. */
  expiresAt: Date;
  createdAt: Date;
  sentAt: Date | null;
  /** When the first ack of the device arrived. */
  receivedAt: Date | null;
  /** When it reached a terminal state. */
  finishedAt: Date | null;
  correlationId: string;
  /** Grows with every change. */
  version: number;
}

/** A command that has just changed, with what its events need. */
export interface CommandChange extends Command {
  /** Owner of the device, whose feed the events belong to. */
  ownerId: string;
}

export interface CommandFilter {
  state?: CommandState | undefined;
  name?: CommandName | undefined;
}

/** Why no order reaches a device: it has no link, one that carries none, or sleeps between its heartbeats. */
export type LinkLack = 'no_link' | 'http_only' | 'asleep';
