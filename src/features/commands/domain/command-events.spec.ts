import { describe, expect, it } from '@jest/globals';
import { COMMAND_STATES, type CommandState } from '../../../contracts/commands.js';
import { type CommandChange } from '../commands.types.js';
import { lateResultEvent, sentEvent, stateEvent } from './command-events.js';

const origin = { source: 'system', actor: 'system' } as const;
const change = (state: CommandState, more: Partial<CommandChange> = {}): CommandChange => ({
  id: 'c',
  deviceId: 'd',
  issuerId: 'u',
  ownerId: 'o',
  name: 'unlock_door',
  lane: 'bolt',
  payload: {},
  state,
  attempts: 1,
  confirmedBy: 'ack',
  result: null,
  errorCode: null,
  errorMessage: null,
  lateResult: null,
  expiresAt: new Date('2026-11-20T18:00:15.000Z'),
  createdAt: new Date('2026-11-20T18:00:00.000Z'),
  sentAt: null,
  receivedAt: null,
  finishedAt: null,
  correlationId: 'r',
  version: 4,
  ...more,
});

describe('the events of a command', () => {
  it('are one for every state, in the feed of the owner', () => {
    const types = COMMAND_STATES.map((state) => stateEvent(change(state), origin).type);
    expect(types).toEqual([
      'command_created',
      'command_sent',
      'command_received',
      'command_executing',
      'command_executed',
      'command_failed',
      'command_timed_out',
      'command_expired',
      'command_cancelled',
    ]);
    expect(stateEvent(change('RECEIVED'), { source: 'mqtt', actor: 'device:d' })).toEqual({
      type: 'command_received',
      payload: { name: 'unlock_door', state: 'RECEIVED' },
      source: 'mqtt',
      actor: 'device:d',
      deviceId: 'd',
      userId: 'o',
      commandId: 'c',
      correlationId: 'r',
      version: 4,
    });
  });

  it('contain what the device reported, and leave out what it did not', () => {
    expect(stateEvent(change('EXECUTED', { result: { movedMs: 400 } }), origin).payload).toEqual({
      name: 'unlock_door',
      state: 'EXECUTED',
      confirmedBy: 'ack',
      result: { movedMs: 400 },
    });
    expect(stateEvent(change('FAILED', { errorCode: 'jammed', errorMessage: 'stuck' }), origin).payload).toEqual({
      name: 'unlock_door',
      state: 'FAILED',
      confirmedBy: 'ack',
      errorCode: 'jammed',
      errorMessage: 'stuck',
    });
  });

  it('contain why a command expired', () => {
    expect(stateEvent(change('EXPIRED', { errorCode: 'permission_revoked' }), origin).payload).toMatchObject({
      reason: 'permission_revoked',
    });
    expect(stateEvent(change('EXPIRED', { errorCode: 'deadline' }), origin).payload).toMatchObject({
      reason: 'deadline',
    });
  });

  it('counts attempts, whatever state the command is in', () => {
    expect(sentEvent(change('RECEIVED', { attempts: 2 }), origin)).toMatchObject({
      type: 'command_sent',
      payload: { name: 'unlock_door', state: 'RECEIVED', attempt: 2 },
    });
  });

  it('keeps a late verdict beside the state', () => {
    const verdict = { status: 'executed', result: { movedMs: 9 }, receivedAt: '2026-11-20T18:00:20.000Z' } as const;
    expect(lateResultEvent(change('TIMED_OUT'), verdict, origin)).toMatchObject({
      type: 'command_late_result',
      payload: { name: 'unlock_door', state: 'TIMED_OUT', confirmedBy: 'ack', result: { movedMs: 9 } },
    });
  });
});
