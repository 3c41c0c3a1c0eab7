import { Injectable } from '@nestjs/common';
import { requestContext } from '../../../platform/context/request-context.js';
import { DeviceEventsService } from '../events/device-events.service.js';
import { inactivityEvents, type PresenceEventBase, statusChanged } from '../events/link-events.js';
import { MaintenanceRepository } from './maintenance.repository.js';

/** A person works on a device: its status is `maintenance` whatever its links do, until it is taken back. */
@Injectable()
export class MaintenanceService {
  constructor(
    private readonly repository: MaintenanceRepository,
    private readonly deviceEvents: DeviceEventsService,
  ) {}

  /** In the surrounding transaction, which holds the device. Where it is so already, nothing changes. */
  async set(deviceId: string, isOn: boolean): Promise<void> {
    const change = await this.repository.set(deviceId, isOn);
    if (change) {
      const { ownerId, previous, status, lastSeenAt, version } = change;
      const actor = requestContext()?.actor ?? 'system';
      const source = actor === 'system' ? 'system' : 'http';
      const base: PresenceEventBase = { deviceId, userId: ownerId, version, source, actor };
      await this.deviceEvents.appendUncounted(
        status === 'inactive' && lastSeenAt
          ? inactivityEvents(lastSeenAt, previous, base)
          : [statusChanged(status, previous, base)],
      );
    }
  }
}
