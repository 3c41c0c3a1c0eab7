import {
  type AckStatus,
  type CommandConfirmation,
  type CommandLane,
  type CommandName,
  type CommandPayloads,
  type CommandState,
} from '../../contracts/commands.js';

/** What somebody wants a device to do. */
export type CommandRequest = { [N in CommandName]: { name: N; payload: CommandPayloads[N] } }[CommandName];

/** Who gives an order, and to which device. */
export interface Errand {
  deviceId: string;
  issuerId: string;
}

/** A verdict that came after we had given up waiting. */
export interface LateResult {
  status: Extract<AckStatus, 'executed' | 'failed'>;
  result?: Record<string, unknown>;
  errorCode?: string;
  errorMessage?: string;
  /** RFC 3339. */
  receivedAt: string;
}

/** An order to one device, as the ledger knows it. */
export interface Command {
  id: string;
  deviceId: string;
  /** Who gave it; null once the account is gone. */
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
  /** When the device was first heard to have it. */
  receivedAt: Date | null;
  /** When it reached a terminal state. */
  finishedAt: Date | null;
  correlationId: string;
  /** Grows with every change. */
  version: number;
}

/** A command that was just changed, with whom it concerns. */
export interface CommandChange extends Command {
  /** Owner of the device: whose feed it belongs to. */
  ownerId: string;
}

export interface CommandFilter {
  state?: CommandState | undefined;
  name?: CommandName | undefined;
}
