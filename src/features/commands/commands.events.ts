import type { CommandConfirmation, CommandName, CommandState, ExpiryReason } from '../../contracts/commands.js';
import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A command entered a state that needs no further members. */
export class CommandPayload implements PayloadOf<'command_received'> {
  name!: CommandName;
  /** The state after the event. */
  state!: CommandState;
}

export class CommandCreatedPayload extends CommandPayload implements PayloadOf<'command_created'> {
  /** RFC 3339: the command is not sent after it. */
  expiresAt!: string;
}

export class CommandSentPayload extends CommandPayload implements PayloadOf<'command_sent'> {
  /** From 1. */
  attempt!: number;
}

/** The outcome that a device reported, in time or late. */
export class CommandOutcomePayload extends CommandPayload implements PayloadOf<'command_executed'> {
  confirmedBy!: CommandConfirmation;
  result?: unknown;
  errorCode?: string;
  errorMessage?: string;
}

export class CommandExpiredPayload extends CommandPayload implements PayloadOf<'command_expired'> {
  /**
   * `permission_revoked`: the issuer was no longer allowed to control the device when it was to be sent. `uptime_fell`:
   * the uptime of the device fell although it had not started again, so that no deadline on it can be trusted. `restored`:
   * it waited in a backup that was restored; whether it was sent since is not known.
   */
  reason!: ExpiryReason;
}

export const COMMANDS_EVENTS = {
  command_created: CommandCreatedPayload,
  command_sent: CommandSentPayload,
  command_received: CommandPayload,
  command_executing: CommandPayload,
  command_executed: CommandOutcomePayload,
  command_failed: CommandOutcomePayload,
  command_timed_out: CommandPayload,
  command_expired: CommandExpiredPayload,
  command_cancelled: CommandPayload,
  command_late_result: CommandOutcomePayload,
} satisfies EventDeclaration;
