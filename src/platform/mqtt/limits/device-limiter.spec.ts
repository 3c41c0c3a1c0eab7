import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../../config/app-config.js';
import type { Clock } from '../../../shared/clock.js';
import { DeviceLimiter } from './device-limiter.js';
import { DEVICE_LIMITS, GROUP_LIMITS, GROUP_SHARE } from './device-limits.js';

let now = 0;
const build = (rateLimitScale = 1): DeviceLimiter =>
  new DeviceLimiter({ rateLimitScale } as AppConfig, { monotonic: () => now } as Clock);

describe('DeviceLimiter', () => {
  it('lets a lock that was offline send all that it kept', () => {
    const limiter = build();
    const kept = 1_000 + 64;
    expect(limiter.paceDevice('lock', kept, kept * 300)).toBe(0);
    expect(limiter.refuseOnChannel('lock', 'events', 1_000)).toBeNull();
    expect(limiter.refuse('other', undefined, 300)).toBeNull();
  });

  it('slows a device beyond its limit for as long as its debt takes', () => {
    const limiter = build();
    const { burst, perSecond } = DEVICE_LIMITS.messages;
    expect(limiter.paceDevice('hostile', burst + perSecond, 0)).toBe(1_000);
    expect(limiter.paceDevice('stranger', 1, 100)).toBe(0);
  });

  it('names the limit that a message is beyond', () => {
    const limiter = build();
    const events = Array.from({ length: 30 }, () => limiter.refuseOnChannel('a', 'events', 100));
    expect([events.filter((code) => code === null).length, events.at(-1)]).toEqual([20, 'too_many_events']);
    const acks = Array.from({ length: 301 }, () => limiter.refuseOnChannel('a', 'acks', 1));
    expect(acks.at(-1)).toBe('too_many_acks');
    expect(limiter.refuse('b', undefined, 3e6)).toBe('too_many_bytes');
  });

  it('counts the devices of an owner, and those behind an address, together', () => {
    const limiter = build();
    const { burst } = GROUP_LIMITS.messages;
    const groups = { ownerId: 'owner', address: '192.0.2.1' };
    expect(limiter.paceGroups('a', groups, burst, 0)).toBe(0);
    expect(limiter.paceGroups('a', { ownerId: undefined, address: '192.0.2.1' }, 400, 0)).toBe(1_000);
    expect(limiter.refuse('another', 'owner', 40_000)).toBe('too_many_messages_of_owner');
    expect(limiter.paceGroups('a', { ownerId: 'other', address: '192.0.2.2' }, 1, 1)).toBe(0);
  });

  it('makes no device wait for its neighbours that sends no more than its share', () => {
    const limiter = build();
    const groups = { ownerId: 'owner', address: '192.0.2.1' };
    limiter.paceGroups('hostile', groups, GROUP_LIMITS.messages.burst + 40_000, 0);
    expect(limiter.paceGroups('lock', groups, GROUP_SHARE.messages.burst, 3_000)).toBe(0);
    expect(limiter.refuse('another', 'owner', 300)).toBeNull();
    expect(limiter.paceGroups('lock', groups, 1, 100)).toBeGreaterThan(60_000);
  });

  it('admits some new boots, later more, and those that it knows at any time', () => {
    const limiter = build();
    const admitted = Array.from({ length: 100 }, (_, index) => limiter.admitsBoot('a', `boot-${String(index)}`));
    expect(admitted.filter(Boolean)).toHaveLength(DEVICE_LIMITS.boots.burst);
    expect([limiter.admitsBoot('a', 'boot-19'), limiter.admitsBoot('a', 'boot-99')]).toEqual([true, false]);
    now += 180_001;
    expect(limiter.admitsBoot('a', 'boot-99')).toBe(true);
  });

  it('is scaled as every limit is', () => {
    expect(build(10).paceDevice('a', 12_000, 0)).toBe(0);
  });
});
