import type { LockState } from '../../contracts/devices.js';
import type { NewEvent } from '../../contracts/events.js';
import type { StateReport } from '../presence/presence.types.js';
import { readData } from './domain/device-event-data.js';
import { timeOfEvent } from './domain/time-of-event.js';
import { InvalidEventDataError } from './history.errors.js';
import type { DeviceBoot, IncomingEvent, ReceiptRow, ReceivedEvent } from './history.types.js';

/** The code of an error that says that the bolt is stuck: `jammed`, `BOLT_JAMMED`, `LockJam`. */
const JAMMED = /jam/i;

export function keyOf({ deviceId, boot }: DeviceBoot): string {
  return `${deviceId}/${boot}`;
}

export function bootOf({ deviceId, boot }: DeviceBoot): DeviceBoot {
  return { deviceId, boot };
}

/** The events of a batch by device and boot, in their order. */
export function groupByBoot(batch: readonly IncomingEvent[]): Map<string, DeviceBoot & { events: IncomingEvent[] }> {
  const groups = new Map<string, DeviceBoot & { events: IncomingEvent[] }>();
  for (const event of batch) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group) {
      group.events.push(event);
    } else {
      groups.set(key, { ...bootOf(event), events: [event] });
    }
  }
  return groups;
}

/** An event, and what of its type and its data was no good. */
export interface ReadEvent {
  readonly event: IncomingEvent;
  readonly dropped: readonly string[];
}

/**
 * @param origin the device, its link, and the correlation id of its message
 * @param index the place of the event in its message
 * @throws InvalidEventDataError when a strict member of the data is no good
 */
export function toIncoming(
  origin: Pick<IncomingEvent, 'deviceId' | 'link' | 'correlationId'>,
  message: ReceivedEvent,
  index: number,
): ReadEvent {
  const { boot, seq, oldest, occurredAt, uptimeMs } = message;
  const { type, data, faults, dropped } = readData(message.type, message.data);
  if (faults.length > 0) {
    throw new InvalidEventDataError(
      faults.map(({ member, detail }) => ({ detail, pointer: `/events/${String(index)}/data/${member}` })),
    );
  }
  const event: IncomingEvent = {
    ...origin,
    boot,
    seq,
    type,
    data,
    ...(oldest === undefined ? {} : { oldest }),
    ...(occurredAt === undefined ? {} : { occurredAt: new Date(occurredAt) }),
    ...(uptimeMs === undefined ? {} : { uptimeMs }),
  };
  return { event, dropped };
}

/**
 * Whether the first events of a boot wait for its birth, which may be in another process: without it their uptime gives
 * no time.
 */
export function awaitsBirth(row: ReceiptRow, events: readonly IncomingEvent[]): boolean {
  const isUnheardOf = row.seq === 0 && !row.isBorn && row.bootStartedAt === null;
  return isUnheardOf && events.every(({ mayWait }) => mayWait) && events.some(({ uptimeMs }) => uptimeMs !== undefined);
}

export function toNewEvent(incoming: IncomingEvent, row: ReceiptRow): NewEvent {
  const { deviceId, link, type, data, correlationId } = incoming;
  const commandId = commandOf(data);
  const occurredAt = timeOfEvent(incoming, row);
  const event = {
    type,
    payload: data,
    source: link,
    actor: `device:${deviceId}`,
    deviceId,
    userId: row.ownerId,
    version: row.version,
    ...(commandId === undefined ? {} : { commandId }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
  // `readData` has shown that the data belongs to the type, which the compiler cannot follow.
  return event as NewEvent;
}

/** Whether an event happened since the device has its present owner: what it kept from before says nothing of its state now. */
export function happenedToThisOwner(incoming: IncomingEvent, row: ReceiptRow): boolean {
  return row.ownedSince === null || (timeOfEvent(incoming, row) ?? row.now) >= row.ownedSince;
}

/** What an event reports of the current state of its device: one report or none. */
export function toReports(event: IncomingEvent): StateReport[] {
  const { deviceId, boot, link } = event;
  const commandId = commandOf(event.data);
  if (event.type === 'door_status_changed') {
    const { lockState, doorState } = event.data as NewEvent<'door_status_changed'>['payload'];
    return [
      {
        deviceId,
        boot,
        link,
        ...toLockReport(lockState),
        ...(doorState === undefined ? {} : { doorState }),
        ...(commandId === undefined ? {} : { commandId }),
      },
    ];
  }
  if (event.type === 'low_battery') {
    const { battery } = event.data as NewEvent<'low_battery'>['payload'];
    return battery === undefined ? [] : [{ deviceId, boot, link, battery: Math.round(battery) }];
  }
  if (event.type === 'error_occurred') {
    const { errorCode } = event.data as NewEvent<'error_occurred'>['payload'];
    return errorCode !== undefined && JAMMED.test(errorCode) ? [{ deviceId, boot, link, jammed: true }] : [];
  }
  return [];
}

/** A lock that knows where its bolt is has been calibrated, and is not stuck on its way. */
function toLockReport(lockState: LockState | 'unknown' | undefined): Partial<StateReport> {
  if (lockState === undefined) {
    return {};
  }
  return lockState === 'unknown' ? { calibrated: false } : { lockState, calibrated: true, jammed: false };
}

function commandOf(data: object): string | undefined {
  return 'commandId' in data && typeof data.commandId === 'string' ? data.commandId : undefined;
}
