import { describe, expect, it } from '@jest/globals';
import { type Step, withinDailyLimits } from './daily-quota.js';

const step = (deviceId: string, count: number, today = { device: 0, owner: 0 }): Step<{ seq: number }> => ({
  row: {
    deviceId,
    boot: 'b',
    seq: 10,
    ownerId: 'owner',
    version: 1,
    isNew: false,
    adoptedAt: null,
    ownedSince: null,
    resumeFrom: null,
    resumeSeenAt: null,
    isBorn: true,
    bootStartedAt: null,
    now: new Date(),
    deviceEventsToday: today.device,
    ownerEventsToday: today.owner,
  },
  accepted: Array.from({ length: count }, (_, index) => ({ seq: 11 + index })),
  waiting: [{ seq: 99 }],
  seq: 10 + count,
});
const limits = { ofDevice: 5, ofOwner: 8 };

describe('withinDailyLimits', () => {
  it('leaves what fits as it is', () => {
    const steps = [step('a', 5), step('b', 3)];
    expect(withinDailyLimits(steps, limits)).toEqual(steps);
  });

  it('keeps the first events of a device, and a receipt for no others', () => {
    const [cut] = withinDailyLimits([step('a', 5, { device: 3, owner: 3 })], limits);
    expect(cut).toMatchObject({ accepted: [{ seq: 11 }, { seq: 12 }], waiting: [], seq: 12 });
  });

  it('counts several devices of an owner, and several boots of a device, together', () => {
    const counts = withinDailyLimits([step('a', 4), step('a', 4), step('b', 4)], limits);
    expect(counts.map(({ accepted }) => accepted.length)).toEqual([4, 1, 3]);
  });

  it('stores nothing beyond a quota that was overrun', () => {
    const [cut] = withinDailyLimits([step('a', 2, { device: 9, owner: 9 })], limits);
    expect(cut).toMatchObject({ accepted: [], seq: 10 });
  });
});
