import type { DeviceStatus, LinkKind } from '../../../contracts/devices.js';
import type { Actor, EventSource, NewEvent } from '../../../contracts/events.js';
import type { Birth, LinkEnd, LockedDevice } from '../presence.types.js';

/** What all events of one change have in common. */
export interface PresenceEventBase {
  deviceId: string;
  userId: string;
  version: number;
  source: EventSource;
  actor: Actor;
}

/** A device that is connected in two ways comes once, with its first link, and goes with its last one. */
export function eventsOfBirth(link: LinkKind, birth: Birth, before: LockedDevice, base: PresenceEventBase): NewEvent[] {
  const { boot, firmwareVersion } = birth;
  const events: NewEvent[] = [];
  const open = [...(before.link ? [{ kind: link, boot: before.link.boot }] : []), ...before.otherLinks];
  const earlier = open.find((one) => one.boot !== boot);
  if (earlier) {
    const payload = { link: earlier.kind, boot: earlier.boot, reason: 'replaced' as const };
    events.push({ type: 'device_disconnected', payload, ...base });
  }
  if (!open.some((one) => one.boot === boot)) {
    const payload = { link, boot, ...(firmwareVersion === undefined ? {} : { firmwareVersion }) };
    events.push({ type: 'device_connected', payload, ...base });
  }
  if (before.status !== 'online' && before.status !== 'maintenance') {
    events.push(statusChanged('online', before.status, base));
  }
  return events;
}

/** @param previous the status before the device went offline; null when it was so already */
export function eventsOfEnd(
  end: { link: LinkKind; boot: string; reason: LinkEnd },
  previous: DeviceStatus | null,
  base: PresenceEventBase,
): NewEvent[] {
  return [
    { type: 'device_disconnected', payload: end, ...base },
    ...(previous === null ? [] : [statusChanged('offline', previous, base)]),
  ];
}

/** A device that becomes inactive is told of twice: as a fact, and as its status. */
export function inactivityEvents(lastSeenAt: Date, previous: DeviceStatus, base: PresenceEventBase): NewEvent[] {
  return [
    { type: 'device_inactive', payload: { lastSeenAt: lastSeenAt.toISOString() }, ...base },
    statusChanged('inactive', previous, base),
  ];
}

export function statusChanged(status: DeviceStatus, previous: DeviceStatus, base: PresenceEventBase): NewEvent {
  return { type: 'status_changed', payload: { status, previous }, ...base };
}
