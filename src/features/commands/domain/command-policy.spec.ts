import { describe, expect, it } from '@jest/globals';
import { COMMAND_NAMES } from '../../../contracts/commands.js';
import { COMMAND_POLICIES, MAX_LIFE_MS, MAX_UNLOCK_LIFE_MS, policyOf } from './command-policy.js';

describe('command policies', () => {
  it('cover every command', () => {
    expect(Object.keys(COMMAND_POLICIES).sort()).toEqual([...COMMAND_NAMES].sort());
  });

  it('leave the bolt and snapshots to those who may operate a device, everything else to those who administer it', () => {
    const demands = Object.fromEntries(COMMAND_NAMES.map((name) => [name, policyOf(name).demand]));
    expect(demands).toEqual({
      lock_door: 'control',
      unlock_door: 'control',
      request_snapshot: 'control',
      restart_device: 'admin',
      firmware_update: 'admin',
      sync_access_codes: 'admin',
    });
  });

  it('let nothing wait for more than a day, and an unlock for no more than 15 s', () => {
    COMMAND_NAMES.forEach((name) => {
      expect(policyOf(name).lifeMs).toBeLessThanOrEqual(MAX_LIFE_MS);
    });
    expect(MAX_LIFE_MS).toBe(24 * 3_600_000);
    expect(policyOf('unlock_door').lifeMs).toBeLessThanOrEqual(MAX_UNLOCK_LIFE_MS);
    expect(MAX_UNLOCK_LIFE_MS).toBe(15_000);
  });

  it('make only the unlock require a live link: it fails closed, everything else waits', () => {
    expect(COMMAND_NAMES.filter((name) => policyOf(name).needsLink)).toEqual(['unlock_door']);
    expect(COMMAND_NAMES.filter((name) => policyOf(name).needsSteadyUptime)).toEqual(['unlock_door']);
  });

  it('send lock_door before unlock_door, in a lane that maintenance never blocks', () => {
    const bolt = COMMAND_NAMES.filter((name) => policyOf(name).lane === 'bolt');
    expect(bolt.sort()).toEqual(['lock_door', 'unlock_door']);
    expect(policyOf('lock_door').priority).toBeLessThan(policyOf('unlock_door').priority);
  });

  it('give bolt commands 15 s to answer and everything else at least 30 s', () => {
    COMMAND_NAMES.forEach((name) => {
      const { lane, timeoutMs } = policyOf(name);
      expect(lane === 'bolt' ? timeoutMs === 15_000 : timeoutMs >= 30_000).toBe(true);
    });
  });

  it('send again at least once before the timeout', () => {
    COMMAND_NAMES.forEach((name) => {
      expect(policyOf(name).resendEveryMs).toBeLessThan(policyOf(name).timeoutMs);
    });
  });

  it('allow bolt commands for locks alone', () => {
    expect(policyOf('lock_door').deviceTypes).toEqual(['door_lock']);
    expect(policyOf('unlock_door').deviceTypes).toEqual(['door_lock']);
  });
});
