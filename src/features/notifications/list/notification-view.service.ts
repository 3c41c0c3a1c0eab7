import { Injectable } from '@nestjs/common';
import { Clock } from '../../../shared/clock.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import type { Notification } from '../notifications.types.js';

/**
 * What a person may still see of what they were told. Of a device that they may not see any more it is left that they were told
 * something, and when.
 */
@Injectable()
export class NotificationViewService {
  constructor(
    private readonly access: FeedAccessService,
    private readonly clock: Clock,
  ) {}

  async shown(userId: string, notifications: readonly Notification[]): Promise<Notification[]> {
    const now = new Date(this.clock.now()).toISOString();
    const ofDevices = notifications.flatMap(({ deviceId, values, occurredAt }) => {
      const device = deviceId ?? values.deviceId ?? null;
      // A share that was told of may begin later: it is asked about now.
      const at = deviceId === null ? now : occurredAt.toISOString();
      return device === null
        ? []
        : [{ userId, event: { type: 'custom' as const, deviceId: device, userId: null, occurredAt: at } }];
    });
    const verdicts = (await this.access.judge(ofDevices)).values();
    return notifications.map((one) => {
      const isOfDevice = one.deviceId !== null || typeof one.values.deviceId === 'string';
      return !isOfDevice || verdicts.next().value?.maySee ? one : { ...one, deviceId: null, values: {} };
    });
  }
}
