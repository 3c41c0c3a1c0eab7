import { EXPIRY_REASONS, type ExpiryReason } from '../../../contracts/commands.js';
import { type Actor, type EventSource, type NewEvent } from '../../../contracts/events.js';
import { type CommandChange, type LateResult } from '../commands.types.js';

/** Who caused an event, and by which interface. */
export interface EventOrigin {
  source: EventSource;
  actor: Actor;
}

/** The event that `command` has reached the state it is in. */
export function stateEvent(command: CommandChange, origin: EventOrigin): NewEvent {
  const facts = { name: command.name, state: command.state };
  const common = commonOf(command, origin);
  switch (command.state) {
    case 'QUEUED':
      return { ...common, type: 'command_created', payload: { ...facts, expiresAt: command.expiresAt.toISOString() } };
    case 'SENT':
      return sentEvent(command, origin);
    case 'RECEIVED':
      return { ...common, type: 'command_received', payload: facts };
    case 'EXECUTING':
      return { ...common, type: 'command_executing', payload: facts };
    case 'EXECUTED':
      return { ...common, type: 'command_executed', payload: { ...facts, ...verdictOf(command, command) } };
    case 'FAILED':
      return { ...common, type: 'command_failed', payload: { ...facts, ...verdictOf(command, command) } };
    case 'TIMED_OUT':
      return { ...common, type: 'command_timed_out', payload: facts };
    case 'EXPIRED':
      return { ...common, type: 'command_expired', payload: { ...facts, reason: expiryReason(command) } };
    case 'CANCELLED':
      return { ...common, type: 'command_cancelled', payload: facts };
  }
}

/** The event that the order was sent, for the first time or again. */
export function sentEvent(command: CommandChange, origin: EventOrigin): NewEvent {
  return {
    ...commonOf(command, origin),
    type: 'command_sent',
    payload: { name: command.name, state: command.state, attempt: command.attempts },
  };
}

/** The event of a verdict that came after TIMED_OUT. */
export function lateResultEvent(command: CommandChange, verdict: LateResult, origin: EventOrigin): NewEvent {
  return {
    ...commonOf(command, origin),
    type: 'command_late_result',
    payload: { name: command.name, state: command.state, ...verdictOf(command, verdict) },
  };
}

function commonOf(command: CommandChange, origin: EventOrigin) {
  return {
    ...origin,
    deviceId: command.deviceId,
    userId: command.ownerId,
    commandId: command.id,
    correlationId: command.correlationId,
    version: command.version,
  };
}

interface VerdictMembers {
  result?: unknown;
  errorCode?: string | null;
  errorMessage?: string | null;
}

function verdictOf({ confirmedBy }: CommandChange, { result, errorCode, errorMessage }: VerdictMembers) {
  return {
    confirmedBy,
    ...(result === null || result === undefined ? {} : { result }),
    ...(errorCode ? { errorCode } : {}),
    ...(errorMessage ? { errorMessage } : {}),
  };
}

/** An expired command keeps the reason as its error code. */
function expiryReason({ errorCode }: CommandChange): ExpiryReason {
  return EXPIRY_REASONS.find((reason) => reason === errorCode) ?? 'deadline';
}
