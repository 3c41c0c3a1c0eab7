import { describe, expect, it } from '@jest/globals';
import { isRelockDue, obey, turnByHand, type BoltOrder } from './bolt.js';

const about = { deviceId: 'd', boot: 'b', counter: 3, expiresAtUptimeMs: 1, issuedAt: '', expiresAt: '' };
const lock: BoltOrder = { ...about, commandId: 'lock', name: 'lock_door', payload: {} };
const unlock: BoltOrder = { ...about, commandId: 'unlock', name: 'unlock_door', payload: {} };
const timed: BoltOrder = { ...about, commandId: 'timed', name: 'unlock_door', payload: { durationMs: 5000 } };

describe('the bolt', () => {
  it('opens and closes when told', () => {
    expect(obey(unlock, 100)).toEqual({ state: 'unlocked' });
    expect(obey(lock, 100)).toEqual({ state: 'locked' });
  });

  it('is due to close exactly when the time of a timed unlock has run out', () => {
    const bolt = obey(timed, 100);
    expect(bolt).toEqual({ state: 'unlocked', relock: { commandId: 'timed', counter: 3, atUptimeMs: 5100 } });
    expect(isRelockDue(bolt, 5099)).toBe(false);
    expect(isRelockDue(bolt, 5100)).toBe(true);
  });

  it.each([obey(unlock, 200), obey(lock, 200), turnByHand('unlocked'), turnByHand('locked')])(
    'forgets the relocking that was due when something later moved it: %j',
    (later) => {
      expect(isRelockDue(later, Number.MAX_SAFE_INTEGER)).toBe(false);
    },
  );

  it('starts the time anew with another timed unlock', () => {
    expect(obey(timed, 3000).relock?.atUptimeMs).toBe(8000);
  });
});
