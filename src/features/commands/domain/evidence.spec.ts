import { describe, expect, it } from '@jest/globals';
import { commandsWithGoal, goalOf, inferOutcome } from './evidence.js';

const command = (name: Parameters<typeof goalOf>[0], payload: unknown = {}) => ({ name, payload });

describe('goalOf', () => {
  it('answers the bolt positions of Matter', () => {
    expect(goalOf('lock_door')).toEqual(['locked']);
    expect(goalOf('unlock_door')).toEqual(['unlocked', 'unlatched']);
    expect(goalOf('request_snapshot')).toEqual([]);
    expect(commandsWithGoal('locked')).toEqual(['lock_door']);
    expect(commandsWithGoal('unlatched')).toEqual(['unlock_door']);
    expect(commandsWithGoal('not_fully_locked')).toEqual([]);
  });
});

describe('inferOutcome', () => {
  it('infers a bolt command, if the bolt has the wanted position', () => {
    expect(inferOutcome(command('lock_door'), { lockState: 'locked' })).toBe(true);
    expect(inferOutcome(command('lock_door'), { lockState: 'not_fully_locked' })).toBe(false);
    expect(inferOutcome(command('unlock_door'), { lockState: 'unlatched' })).toBe(true);
    expect(inferOutcome(command('unlock_door'), { lockState: 'locked' })).toBe(false);
    expect(inferOutcome(command('unlock_door'), {})).toBe(false);
  });

  it('infers a restart, always', () => {
    expect(inferOutcome(command('restart_device'), {})).toBe(true);
  });

  it('infers a firmware update, if the wanted version runs', () => {
    const update = command('firmware_update', { version: '2.4.1' });
    expect(inferOutcome(update, { firmwareVersion: '2.4.1' })).toBe(true);
    expect(inferOutcome(update, { firmwareVersion: '2.4.0' })).toBe(false);
    expect(inferOutcome(update, {})).toBe(false);
    expect(inferOutcome(command('firmware_update', null), { firmwareVersion: '2.4.1' })).toBe(false);
  });

  it('infers nothing else', () => {
    expect(inferOutcome(command('request_snapshot'), { lockState: 'locked' })).toBe(false);
    expect(inferOutcome(command('sync_access_codes'), {})).toBe(false);
  });
});
