import { describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '../../../contracts/events.js';
import { NOTIFICATION_KINDS } from '../notifications.types.js';
import { matchEvents, ruleOf, sameness } from './notification-kinds.js';
import { retryDelayMs } from './retry-schedule.js';
import { isWanted, matrixOf } from '../preferences/wanted-channels.js';

const event = (type: string, payload: object, rest: object = {}): StoredEvent =>
  ({
    type,
    payload,
    deviceId: 'd',
    userId: 'u',
    commandId: null,
    occurredAt: '2026-12-06T08:00:00.000Z',
    ...rest,
  }) as unknown as StoredEvent;
const kindsOf = (...events: StoredEvent[]): string[] => matchEvents(events).map(({ rule }) => rule.kind);

describe('kinds', () => {
  it('each have a rule', () => {
    expect(NOTIFICATION_KINDS.filter((kind) => ruleOf(kind) === undefined)).toEqual([]);
  });

  it('are found by what an event says', () => {
    expect(
      kindsOf(
        event('device_disconnected', { reason: 'will' }),
        event('device_disconnected', { reason: 'replaced' }),
        event('error_occurred', { errorCode: 'WrongCodeEntryLimit' }),
        event('error_occurred', {}),
        event('share_granted', { shareId: 's', permission: 'view', deviceId: 'd' }, { deviceId: null }),
        event('share_granted', { shareId: 's', permission: 'view' }),
        event('export_finished', { exportId: 'e', type: 'audit', state: 'FAILED' }, { deviceId: null }),
        event('notification', { notificationId: 'n', kind: 'low_battery', isUrgent: false }, { deviceId: null }),
      ),
    ).toEqual(['device_offline', 'wrong_codes', 'share_granted', 'export_ready']);
  });

  it('are the same for one device, and never for what stands for itself', () => {
    const [one, other, share] = matchEvents([
      event('low_battery', {}),
      event('low_battery', {}, { deviceId: 'other' }),
      event('share_granted', { shareId: 's', permission: 'view' }, { deviceId: null }),
    ]).map(sameness);
    expect([one, other, share]).toEqual(['low_battery:d', 'low_battery:other', null]);
  });
});

describe('preferences', () => {
  const preferences = {
    channels: ['in_app', 'email'] as const,
    choices: [
      { kind: 'low_battery', channel: 'email', isEnabled: false },
      { kind: 'export_ready', channel: 'email', isEnabled: true },
      { kind: 'door_forced', channel: 'sms', isEnabled: true },
    ] as const,
  };

  it.each([
    ['low_battery', 'in_app', true],
    ['low_battery', 'email', false],
    ['device_offline', 'email', true],
    ['device_offline', 'sms', false],
    ['door_forced', 'sms', true],
    ['share_granted', 'in_app', true],
    ['share_granted', 'email', false],
    ['export_ready', 'email', true],
  ] as const)('for %s over %s: %p', (kind, channel, expected) => {
    expect(isWanted(preferences, kind, channel)).toBe(expected);
  });

  it('are shown for each kind over each channel', () => {
    const matrix = matrixOf(preferences);
    expect(matrix.length).toBe(NOTIFICATION_KINDS.length * 5);
    expect(matrix.filter(({ isDefault }) => !isDefault).length).toBe(3);
  });
});

describe('retries', () => {
  it('come later and later, heed the provider for an hour, and end', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((failures) => retryDelayMs(failures, null, 0));
    expect(delays).toEqual([5_000, 30_000, 120_000, 600_000, 3_600_000, 14_400_000, null]);
    expect([retryDelayMs(1, null, 1), retryDelayMs(1, 60_000, 0), retryDelayMs(1, 9e9, 0)]).toEqual([
      5_500, 60_000, 3_600_000,
    ]);
  });
});
