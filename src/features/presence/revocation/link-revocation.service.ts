import { Injectable } from '@nestjs/common';
import { LINK_KINDS, type LinkKind } from '../../../contracts/devices.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { DeviceEventsService } from '../events/device-events.service.js';
import { eventsOfEnd, type PresenceEventBase } from '../events/link-events.js';
import { PresenceRepository } from '../presence.repository.js';
import type { LockedDevice } from '../presence.types.js';

/** What is known of a connection that was ended. */
export interface LinkEndFacts {
  readonly isBack: () => boolean;
  /** Of the birth on it; undefined where it is not known. */
  readonly boot: string | undefined;
  /** Milliseconds since it was ended. */
  readonly ageMs: number;
  /** Milliseconds since its birth. */
  readonly bornMsAgo: number;
}

/** Closes the links of a device whose tokens ended: it is connected no more, whatever its broker still holds. */
@Injectable()
export class LinkRevocationService {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly deviceEvents: DeviceEventsService,
    private readonly transactions: Transactions,
  ) {}

  /** In the surrounding transaction, which holds the device. */
  async closeAll(deviceId: string): Promise<void> {
    for (const kind of LINK_KINDS) {
      const device = await this.repository.lock(deviceId, kind);
      if (device?.link) {
        await this.repository.closeLink(deviceId, kind);
        await this.closed(deviceId, kind, device.link.boot, device);
      }
    }
  }

  /** Closes the link of one connection, in a transaction of its own, unless the device is connected again by then. */
  closeEnded(deviceId: string, link: LinkKind, { isBack, ...end }: LinkEndFacts): Promise<void> {
    return this.transactions.independently(async () => {
      const device = await this.repository.lock(deviceId, link);
      // Asked for while the device is held: a birth that is not recorded yet opens the link again.
      if (device?.link && !isBack() && (await this.repository.closeEnded(deviceId, link, end))) {
        await this.closed(deviceId, link, device.link.boot, device);
      }
    });
  }

  private async closed(deviceId: string, link: LinkKind, boot: string, device: LockedDevice): Promise<void> {
    if (device.otherLinks.length > 0) {
      return;
    }
    const version = await this.repository.markOffline(deviceId);
    const base: PresenceEventBase = {
      deviceId,
      userId: device.ownerId,
      version: version ?? device.version,
      source: 'system',
      actor: 'system',
    };
    const end = { link, boot, reason: 'token_ended' } as const;
    await this.deviceEvents.appendUncounted(eventsOfEnd(end, version === null ? null : device.status, base));
  }
}
