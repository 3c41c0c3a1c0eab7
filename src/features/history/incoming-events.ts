import type { NewEvent } from '../../contracts/events.js';
import type { StateReport } from '../devices/devices.types.js';
import type { IncomingEvent, ReceiptRow } from './history.types.js';

/** One start of one device: sequences are counted per start. */
export interface Start {
  readonly deviceId: string;
  readonly boot: string;
}

export function keyOf({ deviceId, boot }: Start): string {
  return `${deviceId}/${boot}`;
}

export function startOf({ deviceId, boot }: Start): Start {
  return { deviceId, boot };
}

/** The events of a batch by the start they belong to, in their order. */
export function groupByStart(batch: readonly IncomingEvent[]): Map<string, Start & { events: IncomingEvent[] }> {
  const groups = new Map<string, Start & { events: IncomingEvent[] }>();
  for (const event of batch) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group) {
      group.events.push(event);
    } else {
      groups.set(key, { ...startOf(event), events: [event] });
    }
  }
  return groups;
}

export function toNewEvent(
  { deviceId, type, data, occurredAt }: IncomingEvent,
  { ownerId, version }: ReceiptRow,
): NewEvent {
  const commandId = commandOf(data);
  const event = {
    type,
    payload: data,
    source: 'mqtt',
    actor: `device:${deviceId}`,
    deviceId,
    userId: ownerId,
    version,
    ...(commandId === undefined ? {} : { commandId }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
  // `faultsOf` has shown that the data belongs to the type, which the compiler cannot follow.
  return event as NewEvent;
}

/** What an event says about the present state of its device, if anything. */
export function toReports(event: IncomingEvent): StateReport[] {
  const { deviceId, boot } = event;
  const commandId = commandOf(event.data);
  if (event.type === 'door_status_changed') {
    const { lockState, doorState } = event.data as NewEvent<'door_status_changed'>['payload'];
    return [
      {
        deviceId,
        boot,
        ...(lockState === undefined ? {} : { lockState }),
        ...(doorState === undefined ? {} : { doorState }),
        ...(commandId === undefined ? {} : { commandId }),
      },
    ];
  }
  if (event.type === 'low_battery') {
    const { battery } = event.data as NewEvent<'low_battery'>['payload'];
    return [{ deviceId, boot, battery: Math.round(battery) }];
  }
  return [];
}

function commandOf(data: object): string | undefined {
  return 'commandId' in data && typeof data.commandId === 'string' ? data.commandId : undefined;
}
