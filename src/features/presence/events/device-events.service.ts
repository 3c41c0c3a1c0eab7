import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import type { NewEvent } from '../../../contracts/events.js';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { PresenceRepository } from '../presence.repository.js';
import type { LockedDevice } from '../presence.types.js';

const NOT_TOLD = 'The events of this day are used up: it comes and goes without events until midnight (UTC).';

/** How many events a device causes on a day, whether it sends them or comes and goes. */
@Injectable()
export class DeviceEventsService {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly events: EventLog,
    private readonly config: AppConfig,
    private readonly refusals: RejectedMessages,
  ) {}

  /**
   * Records what became of a link, as part of the surrounding transaction. Beyond what the day has left, nothing is
   * recorded: the state of the device changes all the same.
   */
  async append(deviceId: string, { ownerId, eventsToday }: LockedDevice, events: readonly NewEvent[]): Promise<void> {
    const { perDevice, perOwner } = this.config.eventsPerDay;
    const left = Math.min(perDevice - eventsToday.ofDevice, perOwner - eventsToday.ofOwner);
    if (events.length > left) {
      this.refusals.notice('too_many_events_today', deviceTopic(deviceId, 'status'), NOT_TOLD);
    } else if (events.length > 0) {
      await this.events.append(events);
      await this.count(new Map([deviceId, ownerId].map((subject) => [subject, events.length])));
    }
  }

  /** Records what a device cannot repeat at will, as part of the surrounding transaction. */
  appendUncounted(events: readonly NewEvent[]): Promise<void> {
    return this.events.append(events);
  }

  /** Counts stored events of devices and of owners, as part of the surrounding transaction. */
  count(counts: ReadonlyMap<string, number>): Promise<void> {
    return this.repository.countEvents(counts);
  }
}
