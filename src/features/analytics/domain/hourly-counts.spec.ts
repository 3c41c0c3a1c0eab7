import { describe, expect, it } from '@jest/globals';
import type { StoredEvent } from '../../../contracts/events.js';
import { countByHour } from './hourly-counts.js';

function event(type: 'custom' | 'motion_detected', deviceId: string | null, receivedAt: string): StoredEvent {
  return {
    cursor: '',
    id: '1',
    type,
    payload: {},
    source: 'mqtt',
    actor: 'system',
    deviceId,
    userId: null,
    commandId: null,
    correlationId: null,
    occurredAt: '1999-12-31T23:59:59.000Z',
    receivedAt,
    version: 1,
  };
}

describe('hourly counts', () => {
  it('count per device, type and hour of receipt', () => {
    const counts = countByHour([
      event('custom', 'a', '2026-01-01T10:00:00.000Z'),
      event('custom', 'a', '2026-01-01T10:59:59.999Z'),
      event('custom', 'a', '2026-01-01T11:00:00.000Z'),
      event('motion_detected', 'a', '2026-01-01T10:30:00.000Z'),
      event('custom', 'b', '2026-01-01T10:30:00.000Z'),
    ]);
    expect(counts).toEqual([
      { hour: '2026-01-01T10:00:00Z', deviceId: 'a', type: 'custom', count: 2 },
      { hour: '2026-01-01T11:00:00Z', deviceId: 'a', type: 'custom', count: 1 },
      { hour: '2026-01-01T10:00:00Z', deviceId: 'a', type: 'motion_detected', count: 1 },
      { hour: '2026-01-01T10:00:00Z', deviceId: 'b', type: 'custom', count: 1 },
    ]);
  });

  it('leave out what concerns no device', () => {
    expect(countByHour([event('custom', null, '2026-01-01T10:00:00.000Z')])).toEqual([]);
  });
});
