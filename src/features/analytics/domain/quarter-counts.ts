import type { EventType, StoredEvent } from '../../../contracts/events.js';
import { kindOfEvent } from './event-kinds.js';

/** How many events of one type and kind a device had in a quarter of an hour. */
export interface QuarterCount {
  /** Start of the quarter, UTC, RFC 3339. */
  readonly at: string;
  readonly deviceId: string;
  readonly type: EventType;
  readonly kind: string;
  readonly count: number;
}

/** What counting reads of an event. */
export type CountedEvent = Pick<StoredEvent, 'deviceId' | 'type' | 'receivedAt' | 'occurredAt'> & {
  readonly payload: unknown;
};

/**
 * Counts events by the quarter of an hour in which the server received them, so that a device with a wrong clock cannot change
 * the past. Events without a device do not count.
 */
export function countByQuarter(events: readonly CountedEvent[]): QuarterCount[] {
  const counts = new Map<string, QuarterCount>();
  for (const { deviceId, type, receivedAt, payload } of events) {
    if (deviceId !== null) {
      const [at, kind] = [quarterOf(receivedAt), kindOfEvent(type, payload)];
      const key = JSON.stringify([deviceId, type, kind, at]);
      counts.set(key, { at, deviceId, type, kind, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  }
  return [...counts.values()];
}

/** Start of the quarter of an hour of an instant that is written in UTC. */
function quarterOf(instant: string): string {
  const minute = Number(instant.slice(14, 16));
  return `${instant.slice(0, 14)}${String(minute - (minute % 15)).padStart(2, '0')}:00Z`;
}

/** Whether an event may have happened before it was received: only such a one can belong to an earlier owner of its device. */
export function cameLater({ occurredAt, receivedAt }: CountedEvent): boolean {
  return Date.parse(occurredAt) < Date.parse(receivedAt);
}

/** Whether it happened before the present owner had the device, and was received since: it is shown to no one. */
export function isOfEarlierOwner({ occurredAt, receivedAt }: CountedEvent, ownedSince: Date | undefined): boolean {
  return ownedSince !== undefined && Date.parse(occurredAt) < +ownedSince && Date.parse(receivedAt) >= +ownedSince;
}
