import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { DurableReaderRegistry } from '../../../platform/events/durable-reader-registry.js';
import { offlineTurns } from '../domain/offline-turns.js';
import { cameLater, type CountedEvent, countByQuarter, isOfEarlierOwner } from '../domain/quarter-counts.js';
import { EventCountsRepository } from './event-counts.repository.js';

/** Of the cursor, by which answers say how far the log is counted. */
export const COUNTS_READER = 'event_counts';
const COUNT_BATCH = 500;
const COUNT_EVERY_MS = 1_000;

/**
 * Counts events per device, type, kind and quarter of an hour, and notes when devices were offline. A durable reader of the log, so
 * that each event counts once.
 */
@Injectable()
export class EventCountingService implements OnModuleInit {
  constructor(
    private readonly repository: EventCountsRepository,
    private readonly readers: DurableReaderRegistry,
  ) {}

  onModuleInit(): void {
    this.readers.register({
      name: COUNTS_READER,
      batchSize: COUNT_BATCH,
      pollEveryMs: COUNT_EVERY_MS,
      apply: (events) => this.count(events),
    });
  }

  /** In the transaction that also moves the cursor. */
  async count(events: readonly StoredEvent[]): Promise<void> {
    const counts = countByQuarter(await this.withoutEarlierOwners(events));
    if (counts.length > 0) {
      await this.repository.addCounts(counts);
    }
    await this.repository.turnOffline(offlineTurns(events));
  }

  private async withoutEarlierOwners(events: readonly CountedEvent[]): Promise<readonly CountedEvent[]> {
    const late = new Set(
      events.flatMap((event) => (event.deviceId !== null && cameLater(event) ? [event.deviceId] : [])),
    );
    if (late.size === 0) {
      return events;
    }
    const ownedSince = await this.repository.findOwnedSince([...late]);
    return events.filter((event) => !isOfEarlierOwner(event, ownedSince.get(event.deviceId ?? '')));
  }
}
