import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';
import { DurableReaderRegistry } from '../../platform/events/durable-reader-registry.js';
import { AnalyticsRepository } from './analytics.repository.js';
import { countByHour } from './domain/hourly-counts.js';

const ROLLUP_BATCH = 500;
const ROLLUP_EVERY_MS = 1_000;

/** Counts events per device, type and hour. A durable reader of the log, so that each event counts once. */
@Injectable()
export class AnalyticsService implements OnModuleInit {
  constructor(
    private readonly rollups: AnalyticsRepository,
    private readonly readers: DurableReaderRegistry,
  ) {}

  onModuleInit(): void {
    this.readers.register({
      name: 'event_rollup',
      batchSize: ROLLUP_BATCH,
      pollEveryMs: ROLLUP_EVERY_MS,
      apply: (events) => this.count(events),
    });
  }

  private async count(events: readonly StoredEvent[]): Promise<void> {
    const counts = countByHour(events);
    if (counts.length > 0) {
      await this.rollups.addCounts(counts);
    }
  }
}
