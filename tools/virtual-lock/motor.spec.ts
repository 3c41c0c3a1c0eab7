import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActuationJournal } from './actuation-journal.js';
import type { BoltOrder } from './bolt.js';
import { Motor, type Movement } from './motor.js';
import { Uptime } from './uptime.js';

const about = { deviceId: 'd', boot: 'b', counter: 3, expiresAtUptimeMs: 1, issuedAt: '', expiresAt: '' };
const timed: BoltOrder = { ...about, commandId: 'timed', name: 'unlock_door', payload: { durationMs: 5000 } };
const lock: BoltOrder = { ...about, commandId: 'lock', name: 'lock_door', payload: {} };

describe('the motor', () => {
  let journal: ActuationJournal;
  let movements: Movement[];
  const motorWith = (recorded: () => void = () => undefined): Motor =>
    new Motor({
      boot: 'b',
      uptime: new Uptime(),
      journal,
      recorded,
      moved: (movement) => movements.push(movement),
      log: () => undefined,
    });
  const actions = (): string[] => journal.read().map(({ action }) => action);

  beforeEach(() => {
    jest.useFakeTimers();
    [journal, movements] = [new ActuationJournal(), []];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('closes after the time of a timed unlock, once', () => {
    motorWith().obey(timed);
    jest.advanceTimersByTime(4999);
    expect(actions()).toEqual(['unlock_door']);
    jest.advanceTimersByTime(60_000);
    expect(actions()).toEqual(['unlock_door', 'auto_lock']);
    expect(movements.map(({ lockState, cause }) => [lockState, cause])).toEqual([
      ['unlocked', 'command'],
      ['locked', 'auto_lock'],
    ]);
  });

  it('has nothing left to close when an order closed it before', () => {
    const motor = motorWith();
    motor.obey(timed);
    motor.obey(lock);
    jest.advanceTimersByTime(60_000);
    expect(actions()).toEqual(['unlock_door', 'lock_door']);
  });

  it('does nothing any more once the power is gone', () => {
    const motor = motorWith();
    motor.obey(timed);
    motor.halt();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does nothing any more when the power goes right after the record', () => {
    const motor: Motor = motorWith(() => {
      motor.halt();
    });
    motor.obey(timed);
    expect([jest.getTimerCount(), movements]).toEqual([0, []]);
    expect(actions()).toEqual(['unlock_door']);
  });

  it('does not move what it cannot record', () => {
    const motor = motorWith();
    jest.spyOn(journal, 'append').mockImplementation(() => {
      throw new Error('disk full');
    });
    expect(() => {
      motor.obey(timed);
    }).toThrow('disk full');
    expect([motor.state, movements, jest.getTimerCount()]).toEqual(['locked', [], 0]);
  });

  it('closes also when it cannot record that', () => {
    const motor = motorWith();
    motor.obey(timed);
    jest.spyOn(journal, 'append').mockImplementation(() => {
      throw new Error('disk full');
    });
    jest.advanceTimersByTime(60_000);
    expect(motor.state).toBe('locked');
  });
});
