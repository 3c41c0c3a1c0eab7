import { Module } from '@nestjs/common';
import { PresenceModule } from '../presence/presence.module.js';
import { EventIngestService } from './event-ingest.service.js';
import { HistoryRepository } from './history.repository.js';
import { HistoryService } from './history.service.js';

/** What happened to devices. Its sweeper is an edge of the worker role. */
@Module({
  imports: [PresenceModule],
  providers: [HistoryService, EventIngestService, HistoryRepository],
  exports: [HistoryService, EventIngestService, HistoryRepository],
})
export class HistoryModule {}
