import { type AckStatus, type CommandState } from '../../../contracts/commands.js';
import { defineMachine, type MachineDefinition } from './state-machine.js';

/** States in flight: one command per device and lane at a time. */
export const IN_FLIGHT_STATES = ['SENT', 'RECEIVED', 'EXECUTING'] as const satisfies readonly CommandState[];

/** States that never change again. */
export const TERMINAL_STATES = [
  'EXECUTED',
  'FAILED',
  'TIMED_OUT',
  'EXPIRED',
  'CANCELLED',
] as const satisfies readonly CommandState[];

/** The states of a command. Acks may be lost or overtaken, so a command can skip states; it never goes back. */
export const COMMAND_LIFE: MachineDefinition<CommandState> = {
  initial: 'QUEUED',
  terminals: TERMINAL_STATES,
  transitions: {
    QUEUED: ['SENT', 'EXPIRED', 'CANCELLED'],
    SENT: ['RECEIVED', 'EXECUTING', 'EXECUTED', 'FAILED', 'TIMED_OUT'],
    RECEIVED: ['EXECUTING', 'EXECUTED', 'FAILED', 'TIMED_OUT'],
    EXECUTING: ['EXECUTED', 'FAILED', 'TIMED_OUT'],
    EXECUTED: [],
    FAILED: [],
    TIMED_OUT: [],
    EXPIRED: [],
    CANCELLED: [],
  },
};

export const commandMachine = defineMachine(COMMAND_LIFE);

/** Whether a command is in a terminal state. */
export function isSettled(command: { readonly state: CommandState }): boolean {
  return commandMachine.isTerminal(command.state);
}

const ACKED_STATE = {
  received: 'RECEIVED',
  executing: 'EXECUTING',
  executed: 'EXECUTED',
  failed: 'FAILED',
} as const satisfies Record<AckStatus, CommandState>;

export type AckedState = (typeof ACKED_STATE)[AckStatus];

/** The state that an ack reports. */
export function ackedState(status: AckStatus): AckedState {
  return ACKED_STATE[status];
}

/** Whether an ack is final, rather than one of progress. */
export function isVerdict(status: AckStatus): boolean {
  return commandMachine.isTerminal(ACKED_STATE[status]);
}

/**
 * What an ack does to a command.
 * - `move`: to a later state.
 * - `late_result`: the verdict came after TIMED_OUT. The state stays; the verdict is recorded beside it.
 * - `ignore`: a duplicate, or overtaken by a later one. Not an error: MQTT delivers at least once and acks may overtake.
 */
export type AckEffect = { effect: 'move'; to: AckedState } | { effect: 'late_result' } | { effect: 'ignore' };

/** What `ack` does to a command in `state`. */
export function next(state: CommandState, ack: AckStatus): AckEffect {
  const to = ACKED_STATE[ack];
  if (commandMachine.allows(state, to)) {
    return { effect: 'move', to };
  }
  return state === 'TIMED_OUT' && isVerdict(ack) ? { effect: 'late_result' } : { effect: 'ignore' };
}
