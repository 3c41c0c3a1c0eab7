import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { NewEvent } from '../../../contracts/events.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { DeviceEventsService } from '../events/device-events.service.js';
import { inactivityEvents, type PresenceEventBase } from '../events/link-events.js';
import { type InactiveDevice, InactivityRepository } from './inactivity.repository.js';

declare module '../../../contracts/jobs.js' {
  interface Jobs {
    /** Marks devices as inactive that were silent for a day. */
    mark_inactive_devices: Record<string, never>;
  }
}

const EVERY_MS = 300_000;
const BATCH = 500;
/** The next run goes on: until then it is the turn of other jobs. */
const SLICE_MS = 5_000;

/** Finds devices that were silent for a day: an edge of the worker role. */
@Injectable()
export class InactiveDevicesJob implements OnModuleInit {
  constructor(
    private readonly repository: InactivityRepository,
    private readonly deviceEvents: DeviceEventsService,
    private readonly transactions: Transactions,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('mark_inactive_devices', { queue: 'maintenance', everyMs: EVERY_MS }, () => this.run());
  }

  private async run(): Promise<void> {
    const until = performance.now() + SLICE_MS;
    let marked: number;
    do {
      marked = await this.markBatch();
    } while (marked === BATCH && performance.now() < until);
  }

  /** @returns how many */
  private markBatch(): Promise<number> {
    return this.transactions.run(async () => {
      const devices = await this.repository.markInactive(BATCH);
      await this.deviceEvents.appendUncounted(devices.flatMap(eventsOf));
      return devices.length;
    });
  }
}

function eventsOf({ deviceId, ownerId, previous, lastSeenAt, version }: InactiveDevice): NewEvent[] {
  const base: PresenceEventBase = { deviceId, userId: ownerId, version, source: 'system', actor: 'system' };
  return inactivityEvents(lastSeenAt, previous, base);
}
