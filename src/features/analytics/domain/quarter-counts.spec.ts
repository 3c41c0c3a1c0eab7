import { describe, expect, it } from '@jest/globals';
import { offlineTurns } from './offline-turns.js';
import { type CountedEvent, countByQuarter, isOfEarlierOwner } from './quarter-counts.js';

const OWNED_SINCE = new Date('2026-01-01T10:00:00Z');

function event(
  type: CountedEvent['type'],
  deviceId: string | null,
  receivedAt: string,
  payload: object = {},
): CountedEvent {
  return { type, payload, deviceId, occurredAt: '1999-12-31T23:59:59.000Z', receivedAt };
}

describe('counts by quarter of an hour', () => {
  it('count per device, type, kind and quarter of receipt', () => {
    const counts = countByQuarter([
      event('custom', 'a', '2026-01-01T10:00:00.000Z'),
      event('custom', 'a', '2026-01-01T10:14:59.999Z'),
      event('custom', 'a', '2026-01-01T10:45:00.000Z'),
      event('door_status_changed', 'a', '2026-01-01T10:31:00.000Z', { lockState: 'unlocked' }),
      event('door_status_changed', 'a', '2026-01-01T10:32:00.000Z', { doorState: 'open' }),
      event('command_executed', 'b', '2026-01-01T10:30:00.000Z', { name: 'lock_door' }),
    ]);
    expect(counts).toEqual([
      { at: '2026-01-01T10:00:00Z', deviceId: 'a', type: 'custom', kind: '', count: 2 },
      { at: '2026-01-01T10:45:00Z', deviceId: 'a', type: 'custom', kind: '', count: 1 },
      { at: '2026-01-01T10:30:00Z', deviceId: 'a', type: 'door_status_changed', kind: 'unlocked/', count: 1 },
      { at: '2026-01-01T10:30:00Z', deviceId: 'a', type: 'door_status_changed', kind: '/open', count: 1 },
      { at: '2026-01-01T10:30:00Z', deviceId: 'b', type: 'command_executed', kind: 'lock_door', count: 1 },
    ]);
  });

  it('leave out what concerns no device', () => {
    expect(countByQuarter([event('custom', null, '2026-01-01T10:00:00.000Z')])).toEqual([]);
  });

  it('belong to an earlier owner when they happened before the handover and came after it', () => {
    const late = event('custom', 'a', '2026-01-01T10:00:00.000Z');
    expect(isOfEarlierOwner(late, OWNED_SINCE)).toBe(true);
    expect(isOfEarlierOwner({ ...late, occurredAt: '2026-01-01T10:00:00.000Z' }, OWNED_SINCE)).toBe(false);
    expect(isOfEarlierOwner({ ...late, receivedAt: '2026-01-01T09:59:59.999Z' }, OWNED_SINCE)).toBe(false);
    expect(isOfEarlierOwner(late, undefined)).toBe(false);
  });
});

describe('the offline time of devices', () => {
  const status = (deviceId: string, at: string, to: string): CountedEvent =>
    event('status_changed', deviceId, at, { status: to, previous: 'x' });

  it('begins when they go offline, goes on when they become inactive, and ends with any other status', () => {
    expect(
      offlineTurns([
        status('a', '1', 'offline'),
        status('a', '2', 'inactive'),
        status('a', '3', 'online'),
        status('a', '4', 'offline'),
        status('a', '5', 'maintenance'),
        status('a', '6', 'offline'),
        status('b', '7', 'online'),
        status('c', '8', 'offline'),
      ]),
    ).toEqual({
      began: [
        { deviceId: 'a', beganAt: '1', endedAt: null },
        { deviceId: 'c', beganAt: '8', endedAt: null },
      ],
      ended: [
        { deviceId: 'a', endedAt: '3' },
        { deviceId: 'b', endedAt: '7' },
      ],
      further: [
        { deviceId: 'a', beganAt: '4', endedAt: '5' },
        { deviceId: 'a', beganAt: '6', endedAt: null },
      ],
    });
  });

  it.each([
    ['device_transferred', {}, true],
    ['device_deleted', {}, true],
    ['device_updated', { changed: ['name', 'organizationId', 'token'] }, true],
    ['device_updated', { changed: ['token'] }, false],
    ['device_connected', {}, false],
  ] as const)('ends with %s %j: %s', (type, payload, ends) => {
    expect(offlineTurns([event(type, 'a', '1', payload)]).ended).toHaveLength(ends ? 1 : 0);
  });
});
