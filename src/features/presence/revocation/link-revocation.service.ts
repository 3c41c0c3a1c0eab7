import { Injectable } from '@nestjs/common';
import { LINK_KINDS } from '../../../contracts/devices.js';
import { DeviceEventsService } from '../events/device-events.service.js';
import { eventsOfEnd, type PresenceEventBase } from '../events/link-events.js';
import { PresenceRepository } from '../presence.repository.js';

/** Closes the links of a device whose tokens ended: it is connected no more, whatever its broker still holds. */
@Injectable()
export class LinkRevocationService {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly deviceEvents: DeviceEventsService,
  ) {}

  /** In the surrounding transaction, which holds the device. */
  async closeAll(deviceId: string): Promise<void> {
    for (const kind of LINK_KINDS) {
      const device = await this.repository.lock(deviceId, kind);
      if (device?.link) {
        await this.repository.closeLink(deviceId, kind);
        const version = await this.repository.markOffline(deviceId);
        const base: PresenceEventBase = {
          deviceId,
          userId: device.ownerId,
          version: version ?? device.version,
          source: 'system',
          actor: 'system',
        };
        const end = { link: kind, boot: device.link.boot, reason: 'cut_off' } as const;
        await this.deviceEvents.appendUncounted(eventsOfEnd(end, version === null ? null : device.status, base));
      }
    }
  }
}
