import { Module } from '@nestjs/common';
import { EventCountingService } from './event-counting.service.js';
import { EventCountsRepository } from './event-counts.repository.js';
import { ROLLUPS_PURGE } from './counting.purge.js';

/** Counts events as they come. It needs nothing but the log. */
@Module({
  providers: [EventCountsRepository, EventCountingService, ROLLUPS_PURGE],
})
export class CountingModule {}
