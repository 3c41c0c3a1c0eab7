import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';
import { EventLog } from '../../platform/events/event-log.js';
import type { Page } from '../../shared/paging.js';
import { InvalidTimeRangeError } from './history.errors.js';
import type { HistoryQuery } from './history.types.js';

/** Reads the history of a device. */
@Injectable()
export class HistoryService {
  constructor(private readonly events: EventLog) {}

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
