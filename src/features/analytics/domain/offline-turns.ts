import type { EventType } from '../../../contracts/events.js';
import type { CountedEvent } from './quarter-counts.js';

/** A time in which a device was offline. */
export interface OfflinePeriod {
  readonly deviceId: string;
  /** RFC 3339. */
  readonly beganAt: string;
  /** Null: it lasts. */
  readonly endedAt: string | null;
}

/** What a batch of events says of when devices were offline. */
export interface OfflineTurns {
  /** Went offline, unless they were so before the batch. */
  readonly began: OfflinePeriod[];
  /** When each device was first seen to be something else: a period that lasts ends then. */
  readonly ended: { readonly deviceId: string; readonly endedAt: string }[];
  /** Began after that. */
  readonly further: OfflinePeriod[];
}

const OFFLINE: readonly string[] = ['offline', 'inactive'];
/** What a factory reset changes, and nothing else does at once. */
const RESET = ['token', 'organizationId'];

/** The status that an event gives a device; undefined: it changes none. A new owner, or a reset, makes it unknown. */
function statusAfter(type: EventType, payload: unknown): string | undefined {
  const { status, changed } = payload as { status?: string; changed?: string[] };
  switch (type) {
    case 'status_changed':
      return status;
    case 'device_transferred':
    case 'device_deleted':
      return 'unknown';
    case 'device_updated':
      return RESET.every((member) => changed?.includes(member)) ? 'unknown' : undefined;
    default:
      return undefined;
  }
}

/** A change of whether a device is offline. */
interface Step {
  readonly deviceId: string;
  readonly at: string;
  readonly isOffline: boolean;
}

function stepsOf(events: readonly CountedEvent[]): Step[] {
  return events.flatMap(({ deviceId, type, payload, receivedAt: at }) => {
    const status = deviceId === null ? undefined : statusAfter(type, payload);
    return deviceId === null || status === undefined ? [] : [{ deviceId, at, isOffline: OFFLINE.includes(status) }];
  });
}

/** The events are in the order of the log. */
export function offlineTurns(events: readonly CountedEvent[]): OfflineTurns {
  const turns: OfflineTurns = { began: [], ended: [], further: [] };
  /** Devices that were something else since the batch began. */
  const seen = new Set<string>();
  const open = new Map<string, string>();
  for (const { deviceId, at, isOffline } of stepsOf(events)) {
    const beganAt = open.get(deviceId);
    if (isOffline) {
      open.set(deviceId, beganAt ?? at);
      continue;
    }
    if (beganAt !== undefined) {
      const period = { deviceId, beganAt, endedAt: seen.has(deviceId) ? at : null };
      turns[seen.has(deviceId) ? 'further' : 'began'].push(period);
    }
    if (!seen.has(deviceId)) {
      turns.ended.push({ deviceId, endedAt: at });
    }
    seen.add(deviceId);
    open.delete(deviceId);
  }
  for (const [deviceId, beganAt] of open) {
    turns[seen.has(deviceId) ? 'further' : 'began'].push({ deviceId, beganAt, endedAt: null });
  }
  return turns;
}
