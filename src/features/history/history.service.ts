import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';
import type { DeviceEventMessage } from '../../contracts/mqtt.js';
import { EventLog } from '../../platform/events/event-log.js';
import type { Page } from '../../shared/paging.js';
import { faultsOf } from './domain/device-event-data.js';
import { EventQueue } from './event-queue.js';
import { InvalidEventDataError, InvalidTimeRangeError } from './history.errors.js';
import type { HistoryQuery, IncomingEvent } from './history.types.js';

/** What happened to a device: its own events in, and everything out. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly events: EventLog,
    private readonly queue: EventQueue,
  ) {}

  /**
   * Takes events of a device. They are stored without gaps, each once; the device learns by a receipt how far.
   * Resolves when they are stored, or left to be sent again.
   * @throws InvalidEventDataError: then none of them is taken
   */
  async ingest(deviceId: string, messages: readonly DeviceEventMessage[]): Promise<void> {
    await this.queue.push(messages.map((message, index) => toIncoming(deviceId, message, index)));
  }

  /**
   * A page of a device's history.
   * @throws InvalidCursorError, CursorExpiredError, InvalidTimeRangeError
   */
  async list(deviceId: string, query: HistoryQuery): Promise<Page<StoredEvent>> {
    const { cursor, order, types, from, to, limit } = query;
    if (from && to && from >= to) {
      throw new InvalidTimeRangeError();
    }
    return this.events.page({
      deviceIds: [deviceId],
      order,
      limit,
      ...(cursor === undefined ? {} : order === 'asc' ? { after: cursor } : { before: cursor }),
      ...(types === undefined ? {} : { types }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
  }
}

function toIncoming(deviceId: string, message: DeviceEventMessage, index: number): IncomingEvent {
  const { boot, seq, type, data, occurredAt } = message;
  const faults = faultsOf(type, data);
  if (faults.length > 0) {
    throw new InvalidEventDataError(
      faults.map(({ member, detail }) => ({ detail, pointer: `/events/${String(index)}/data/${member}` })),
    );
  }
  return { deviceId, boot, seq, type, data, ...(occurredAt === undefined ? {} : { occurredAt: new Date(occurredAt) }) };
}
