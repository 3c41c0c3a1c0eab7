import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';
import { EventLog } from '../../platform/events/event-log.js';
import type { TwoWayPage } from '../../shared/paging.js';
import { DevicesService } from '../devices/devices.service.js';
import type { Device } from '../devices/devices.types.js';
import { assertTimeRange, type HistoryQuery } from './history.types.js';

/** Reads the history of a device. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly events: EventLog,
    private readonly devices: DevicesService,
  ) {}

  /**
   * A page of a device's history, of what happened since it has its present owner.
   * @throws InvalidCursorError, CursorExpiredError, InvalidTimeRangeError
   */
  async list(deviceId: string, query: HistoryQuery): Promise<TwoWayPage<StoredEvent>> {
    assertTimeRange(query);
    const device = await this.devices.get(deviceId);
    const since = ownershipOf(device);
    return this.events.page({
      ...query,
      ...(since && { occurredFrom: since }),
      deviceIds: [deviceId],
      ...fromOf(query.from, since),
    });
  }
}

/** Null for a device that was never another person's: nothing is there that its owner must not see. */
function ownershipOf({ ownedSince, createdAt, provisioned }: Device): Date | null {
  return provisioned || ownedSince > createdAt ? ownedSince : null;
}

function fromOf(asked: Date | undefined, since: Date | null): { from?: Date } {
  const from = asked && since ? (asked > since ? asked : since) : (asked ?? since);
  return from ? { from } : {};
}
