import { describe, expect, it } from '@jest/globals';
import { DOOR_STATES, LOCK_STATES } from '../../../contracts/devices.js';
import { decideStates, type ReportedStates } from './device-state.js';

const [EARLY, LATE] = [new Date('2026-11-20T18:00:00Z'), new Date('2026-11-20T18:00:01Z')];
const CALM: ReportedStates = {
  lockState: 'locked',
  lockStateAt: LATE,
  doorState: 'closed',
  doorStateAt: LATE,
  lockCalibrated: true,
  lockJammedAt: null,
  bootHeardAt: EARLY,
  links: ['mqtt'],
};

/** Every combination of what can be known. */
const ALL: readonly ReportedStates[] = [null, ...LOCK_STATES].flatMap((lockState) =>
  [null, ...DOOR_STATES].flatMap((doorState) =>
    [null, EARLY, LATE].flatMap((lockStateAt) =>
      [null, LATE].flatMap((bootHeardAt) =>
        [null, EARLY].flatMap((lockJammedAt) =>
          [null, true, false].flatMap((lockCalibrated) =>
            [[], ['mqtt']].map((links) => ({
              lockState,
              doorState,
              lockStateAt,
              doorStateAt: lockStateAt,
              bootHeardAt,
              lockJammedAt,
              lockCalibrated,
              links,
            })),
          ),
        ),
      ),
    ),
  ),
);

describe('The state that is shown', () => {
  it('is what was reported, where nothing speaks against it', () => {
    expect(decideStates(CALM).lock).toEqual({
      value: 'locked',
      evidence: 'report',
      lastReported: 'locked',
      reportedAt: LATE,
    });
  });

  it('is locked only of a lock that can be heard, said so since it started, knows where its bolt is, and is not jammed', () => {
    const locked = ALL.filter((device) => decideStates(device).lock.value === 'locked');
    expect(locked.length).toBeGreaterThan(0);
    for (const { links, lockState, doorState, lockJammedAt, lockCalibrated, lockStateAt, bootHeardAt } of locked) {
      expect([links.length, lockState, lockJammedAt]).toEqual([1, 'locked', null]);
      expect(doorState === 'jammed' || lockCalibrated === false).toBe(false);
      expect(bootHeardAt === null || (lockStateAt !== null && lockStateAt >= bootHeardAt)).toBe(true);
    }
  });

  it('is never another one than was reported, unless it is unknown or jammed, and shows the last report whatever it is', () => {
    for (const device of ALL) {
      const { lock, door } = decideStates(device);
      expect([lock.lastReported, door.lastReported]).toEqual([device.lockState, device.doorState]);
      expect([device.lockState, 'unknown', 'not_fully_locked']).toContain(lock.value);
      expect([device.doorState, 'unknown']).toContain(door.value);
      expect(device.links.length > 0 || lock.value === null || lock.value === 'unknown').toBe(true);
    }
  });
});
