import {
  type CommandConfirmation,
  type CommandLane,
  type CommandName,
  type CommandState,
} from '../../contracts/commands.js';
import { unlockRestrictedSql } from '../users/account-standing.types.js';
import { type Command, type CommandChange, type LateResult } from './commands.types.js';

/** Columns of a command `c`, without the signed bytes: only the device gets those. */
export const COMMAND_COLUMNS = `c.id, c.device_id, c.issuer_id, c.name, c.lane, c.payload, c.state, c.attempts, c.confirmed_by,
  c.result, c.error_code, c.error_message, c.late_result, c.expires_at, c.created_at, c.sent_at, c.received_at,
  c.finished_at, c.correlation_id, c.version`;

/** For `RETURNING` of a statement that changes commands `c`. */
export const CHANGE_COLUMNS = `${COMMAND_COLUMNS}, (SELECT d.owner_id FROM devices d WHERE d.id = c.device_id) AS owner_id`;

/** The condition that a command is in flight: exactly the predicate of the partial indexes. */
export const IN_FLIGHT = `c.state IN ('SENT', 'RECEIVED', 'EXECUTING')`;

/**
 * The condition that the user `u` must not unlock doors yet, and the command does: an administrator may have chosen the
 * password behind it. Checked when it is given and again when it is sent.
 */
export function unlockRestricted(command: string): string {
  return `${command}.name = 'unlock_door' AND ${unlockRestrictedSql('u')}`;
}

export interface CommandRow {
  id: string;
  device_id: string;
  issuer_id: string | null;
  name: CommandName;
  lane: CommandLane;
  payload: Record<string, unknown>;
  state: CommandState;
  attempts: number;
  confirmed_by: CommandConfirmation;
  result: Record<string, unknown> | null;
  error_code: string | null;
  error_message: string | null;
  late_result: LateResult | null;
  expires_at: Date;
  created_at: Date;
  sent_at: Date | null;
  received_at: Date | null;
  finished_at: Date | null;
  correlation_id: string;
  version: number;
}

export interface ChangeRow extends CommandRow {
  owner_id: string;
}

export function toCommand(row: CommandRow): Command {
  return {
    id: row.id,
    deviceId: row.device_id,
    issuerId: row.issuer_id,
    name: row.name,
    lane: row.lane,
    payload: row.payload,
    state: row.state,
    attempts: row.attempts,
    confirmedBy: row.confirmed_by,
    result: row.result,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    lateResult: row.late_result,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    sentAt: row.sent_at,
    receivedAt: row.received_at,
    finishedAt: row.finished_at,
    correlationId: row.correlation_id,
    version: row.version,
  };
}

export function toChange(row: ChangeRow): CommandChange {
  return { ...toCommand(row), ownerId: row.owner_id };
}

/** SQL: the condition that a command was given since its device has its present owner. */
export const OF_THIS_OWNER = '(SELECT d.owned_since FROM devices d WHERE d.id = c.device_id) <= c.created_at';
