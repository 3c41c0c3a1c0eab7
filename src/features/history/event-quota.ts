import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { deviceTopic } from '../../contracts/mqtt.js';
import { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { DeviceEventsService } from '../presence/events/device-events.service.js';
import { TooManyBootsError } from '../presence/presence.errors.js';
import { type Step, withinDailyLimits } from './domain/daily-quota.js';
import type { IncomingEvent, ReceivedEvent } from './history.types.js';

/** How many events are stored, and of how many boots. What is refused gets no receipt: its device keeps it. */
@Injectable()
export class EventQuota {
  constructor(
    private readonly config: AppConfig,
    private readonly limiter: DeviceLimiter,
    private readonly refusals: RejectedMessages,
    private readonly deviceEvents: DeviceEventsService,
  ) {}

  /** @throws TooManyBootsError when the device cannot have restarted so often. */
  assertBoots(deviceId: string, messages: readonly ReceivedEvent[]): void {
    for (const boot of new Set(messages.map((message) => message.boot))) {
      if (!this.limiter.admitsBoot(deviceId, boot)) {
        throw new TooManyBootsError();
      }
    }
  }

  /** Cuts the steps of a batch to what may still be stored today. */
  fit(steps: readonly Step<IncomingEvent>[]): Step<IncomingEvent>[] {
    const { perDevice, perOwner } = this.config.eventsPerDay;
    const fitting = withinDailyLimits(steps, { ofDevice: perDevice, ofOwner: perOwner });
    fitting.forEach(({ row, accepted }, index) => {
      if (accepted.length < (steps[index]?.accepted.length ?? 0)) {
        this.refusals.message('too_many_events_today', deviceTopic(row.deviceId, 'events'));
      }
    });
    return fitting;
  }

  /** Counts what is stored now, of each device and of each owner. */
  count(steps: readonly Step<IncomingEvent>[]): Promise<void> {
    const counts = new Map<string, number>();
    for (const { row, accepted } of steps) {
      for (const subject of [row.deviceId, row.ownerId]) {
        counts.set(subject, (counts.get(subject) ?? 0) + accepted.length);
      }
    }
    return this.deviceEvents.count(counts);
  }
}
