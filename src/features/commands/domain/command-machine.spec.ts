import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACK_STATUSES, type AckStatus, COMMAND_STATES, type CommandState } from '../../../contracts/commands.js';
import {
  ackedState,
  COMMAND_LIFE,
  commandMachine,
  IN_FLIGHT_STATES,
  isVerdict,
  next,
  TERMINAL_STATES,
} from './command-machine.js';
import { validateMachine } from './state-machine.js';

/** The members of a command that acks change. */
interface Row {
  state: CommandState;
  version: number;
  lateResult: AckStatus | null;
}

function apply(row: Row, ack: AckStatus): Row {
  const step = next(row.state, ack);
  if (step.effect === 'move') {
    return { ...row, state: step.to, version: row.version + 1 };
  }
  return step.effect === 'late_result' && row.lateResult === null
    ? { ...row, lateResult: ack, version: row.version + 1 }
    : row;
}

const acks = fc.array(fc.constantFrom(...ACK_STATUSES), { maxLength: 20 });
const sentRow = (state: CommandState): Row => ({ state, version: 2, lateResult: null });

describe('the states of a command', () => {
  it('are sound, and include every state of the contract', () => {
    expect(validateMachine(COMMAND_LIFE)).toEqual([]);
    expect([...commandMachine.states].sort()).toEqual([...COMMAND_STATES].sort());
    expect(commandMachine.states.filter((state) => commandMachine.isTerminal(state))).toEqual([...TERMINAL_STATES]);
  });

  it('begin with QUEUED, which only dispatching leaves towards the device', () => {
    expect(commandMachine.initial).toBe('QUEUED');
    expect(commandMachine.predecessors('SENT')).toEqual(['QUEUED']);
    ACK_STATUSES.forEach((ack) => {
      expect(next('QUEUED', ack)).toEqual({ effect: 'ignore' });
    });
  });

  it('allow cancelling and expiry only before sending, and a timeout only after', () => {
    expect(commandMachine.predecessors('CANCELLED')).toEqual(['QUEUED']);
    expect(commandMachine.predecessors('EXPIRED')).toEqual(['QUEUED']);
    expect(commandMachine.predecessors('TIMED_OUT')).toEqual([...IN_FLIGHT_STATES]);
  });
});

describe('next', () => {
  it('lets a device skip forward', () => {
    expect(next('SENT', 'executed')).toEqual({ effect: 'move', to: 'EXECUTED' });
    expect(next('SENT', 'executing')).toEqual({ effect: 'move', to: 'EXECUTING' });
    expect(next('RECEIVED', 'failed')).toEqual({ effect: 'move', to: 'FAILED' });
  });

  it('ignores a late or repeated `received`', () => {
    expect(next('RECEIVED', 'received')).toEqual({ effect: 'ignore' });
    expect(next('EXECUTING', 'received')).toEqual({ effect: 'ignore' });
    expect(next('EXECUTED', 'received')).toEqual({ effect: 'ignore' });
  });

  it('records a verdict that comes after TIMED_OUT, and nothing else that comes then', () => {
    expect(next('TIMED_OUT', 'executed')).toEqual({ effect: 'late_result' });
    expect(next('TIMED_OUT', 'failed')).toEqual({ effect: 'late_result' });
    expect(next('TIMED_OUT', 'executing')).toEqual({ effect: 'ignore' });
  });

  it('knows which acks are verdicts', () => {
    expect(ACK_STATUSES.filter(isVerdict)).toEqual(['executed', 'failed']);
    expect(ACK_STATUSES.map(ackedState)).toEqual(['RECEIVED', 'EXECUTING', 'EXECUTED', 'FAILED']);
  });

  it('never changes a terminal state, whatever the acks', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TERMINAL_STATES), acks, (state, received) => {
        expect(received.reduce(apply, sentRow(state)).state).toBe(state);
      }),
    );
  });

  it('follows the transitions at every step, with versions that strictly grow', () => {
    fc.assert(
      fc.property(fc.constantFrom(...COMMAND_STATES), acks, (state, received) => {
        let row = sentRow(state);
        for (const ack of received) {
          const after = apply(row, ack);
          if (after.state !== row.state) {
            expect(commandMachine.allows(row.state, after.state)).toBe(true);
          }
          expect(after.version).toBe(after === row ? row.version : row.version + 1);
          row = after;
        }
      }),
    );
  });

  it('ends with the first verdict, in whatever order and however often acks arrive', () => {
    fc.assert(
      fc.property(acks, (received) => {
        const verdict = received.find(isVerdict);
        const { state } = received.reduce(apply, sentRow('SENT'));
        expect(commandMachine.isTerminal(state)).toBe(verdict !== undefined);
        if (verdict) {
          expect(state).toBe(ackedState(verdict));
        }
      }),
    );
  });

  it('agrees with the conditional UPDATE, which asks for the predecessors', () => {
    for (const state of COMMAND_STATES) {
      for (const ack of ACK_STATUSES) {
        const moves = next(state, ack).effect === 'move';
        expect(commandMachine.predecessors(ackedState(ack)).includes(state)).toBe(moves);
      }
    }
  });
});
