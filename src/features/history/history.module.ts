import { Module } from '@nestjs/common';
import { PresenceModule } from '../presence/presence.module.js';
import { EventIngestService } from './event-ingest.service.js';
import { EventQueue } from './event-queue.js';
import { HistoryRepository } from './history.repository.js';
import { HistoryService } from './history.service.js';

/** Its sweeper is an edge of the worker role. */
@Module({
  imports: [PresenceModule],
  providers: [HistoryService, EventQueue, EventIngestService, HistoryRepository],
  exports: [HistoryService, HistoryRepository],
})
export class HistoryModule {}
