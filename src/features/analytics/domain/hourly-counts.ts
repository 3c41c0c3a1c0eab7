import type { EventType, StoredEvent } from '../../../contracts/events.js';

/** How many events of one type a device had in one hour. */
export interface HourlyCount {
  /** Start of the hour, UTC, RFC 3339. */
  readonly hour: string;
  readonly deviceId: string;
  readonly type: EventType;
  readonly count: number;
}

/**
 * Counts events by the hour in which the server received them, so that a device with a wrong clock cannot change the
 * past. Events without a device do not count.
 */
export function countByHour(events: readonly StoredEvent[]): HourlyCount[] {
  const counts = new Map<string, HourlyCount>();
  for (const { deviceId, type, receivedAt } of events) {
    if (deviceId !== null) {
      const hour = `${receivedAt.slice(0, 13)}:00:00Z`;
      const key = `${deviceId} ${type} ${hour}`;
      counts.set(key, { hour, deviceId, type, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  }
  return [...counts.values()];
}
