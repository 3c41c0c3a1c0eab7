import { type CommandName } from '../../../contracts/commands.js';
import { type LockState } from '../../../contracts/devices.js';

/** What a device reports of itself after a restart. */
export interface BirthReport {
  lockState?: LockState | undefined;
  firmwareVersion?: string | undefined;
}

const GOALS: Partial<Record<CommandName, readonly LockState[]>> = {
  lock_door: ['locked'],
  unlock_door: ['unlocked', 'unlatched'],
};

/** Bolt positions that show the effect of a command; none for a command that does not move the bolt. */
export function goalOf(name: CommandName): readonly LockState[] {
  return GOALS[name] ?? [];
}

/** Commands whose goal is this position of the bolt. */
export function commandsWithGoal(lockState: LockState): CommandName[] {
  return (Object.keys(GOALS) as CommandName[]).filter((name) => goalOf(name).includes(lockState));
}

/**
 * Whether the report of a restarted device shows the effect of a command. For `restart_device` the restart itself is
 * the effect. For other commands, false means that the outcome is not known.
 */
export function inferOutcome(command: { name: CommandName; payload: unknown }, birth: BirthReport): boolean {
  switch (command.name) {
    case 'lock_door':
    case 'unlock_door':
      return birth.lockState !== undefined && goalOf(command.name).includes(birth.lockState);
    case 'restart_device':
      return true;
    case 'firmware_update':
      return birth.firmwareVersion !== undefined && birth.firmwareVersion === versionIn(command.payload);
    case 'request_snapshot':
    case 'sync_access_codes':
      return false;
  }
}

function versionIn(payload: unknown): unknown {
  return typeof payload === 'object' && payload !== null && 'version' in payload ? payload.version : undefined;
}
