import { Injectable } from '@nestjs/common';
import { AuditReadWriter } from '../../../platform/audit/audit-read-writer.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { EventLog, type EventQuery } from '../../../platform/events/event-log.js';
import type { EventPage } from '../../../platform/events/pages/event-page.js';
import { MembershipsService } from '../../organizations/memberships.service.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { FeedAccessService } from '../feed/feed-access.service.js';
import { assertTimeRange, type EventListQuery } from '../history.types.js';
import { FollowedDevicesRepository } from './followed-devices.repository.js';

/** Each has an index of its own, in the order of the log. With more, the log itself is looked through. */
const MAX_SOURCES = 100;

/** Lists what happened to all that a person sees, judged at the time of the request. */
@Injectable()
export class EventListService {
  constructor(
    private readonly log: EventLog,
    private readonly access: DeviceAccessService,
    private readonly memberships: MembershipsService,
    private readonly devices: FollowedDevicesRepository,
    private readonly authorizer: FeedAccessService,
    private readonly reads: AuditReadWriter,
  ) {}

  /**
   * A page of what concerns a person: their own, and what happened to the devices that they see now since each has its owner.
   * Whose devices of others it shows is audited, not each event. It may be empty and have more behind it.
   * @throws ResourceNotFoundError for a device that they may not see
   * @throws InvalidCursorError, CursorExpiredError, InvalidTimeRangeError
   */
  async list(userId: string, { deviceIds, ...query }: EventListQuery): Promise<EventPage> {
    assertTimeRange(query);
    const [scope, named] =
      deviceIds === undefined
        ? [await this.scopeOf(userId), []]
        : [{ deviceIds }, await this.othersAmong(userId, deviceIds)];
    const page = await this.log.page({ ...query, ...scope });
    const items = await this.authorizer.seenBy(userId, page.items);
    const shown = items.flatMap((event) =>
      event.deviceId === null || event.userId === userId ? [] : [event.deviceId],
    );
    await this.recordReads([...named, ...shown]);
    return { ...page, items };
  }

  /** Which of these devices are not a person's own. @throws ResourceNotFoundError */
  private async othersAmong(userId: string, deviceIds: readonly string[]): Promise<string[]> {
    const devices = await Promise.all(deviceIds.map((id) => this.access.resolve(userId, id)));
    return devices.flatMap((device) => {
      if (!device) {
        throw new ResourceNotFoundError('device');
      }
      return device.owned ? [] : [device.id];
    });
  }

  /**
   * The shortest ways to what a person sees. An event has the owner that its device had, so the devices of an organization are found by
   * themselves or by who owns them, whichever are few.
   */
  private async scopeOf(userId: string): Promise<Pick<EventQuery, 'via' | 'within'>> {
    const [organizationIds, shares] = await Promise.all([
      this.memberships.organizationsOf(userId),
      this.access.openShares(userId),
    ]);
    const followed = await this.devices.list(userId, organizationIds, MAX_SOURCES + 1);
    const within = { userId, organizationIds, deviceIds: shares.deviceIds };
    const byDevice = [...new Set([...shares.deviceIds, ...followed.deviceIds])];
    if (byDevice.length === 0) {
      return { via: { userIds: [userId], deviceIds: [] } };
    }
    if (byDevice.length < MAX_SOURCES) {
      return { via: { userIds: [userId], deviceIds: byDevice } };
    }
    const isByOwner = shares.deviceIds.length === 0 && followed.ownerIds.length < MAX_SOURCES;
    return { within, via: isByOwner ? { userIds: [userId, ...followed.ownerIds], deviceIds: [] } : 'log' };
  }

  private async recordReads(deviceIds: readonly string[]): Promise<void> {
    await Promise.all(
      [...new Set(deviceIds)].map((id) => this.reads.record('device_history_read', { type: 'device', id })),
    );
  }
}
