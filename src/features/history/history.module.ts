import { Module } from '@nestjs/common';
import { PresenceModule } from '../presence/presence.module.js';
import { EVENT_RECEIPTS_PURGE } from './history.purge.js';
import { EventIngestService } from './event-ingest.service.js';
import { EventQueue } from './event-queue.js';
import { HistoryRepository } from './history.repository.js';
import { HistoryService } from './history.service.js';

@Module({
  imports: [PresenceModule],
  providers: [HistoryService, EventQueue, EventIngestService, HistoryRepository, EVENT_RECEIPTS_PURGE],
  exports: [HistoryService, HistoryRepository],
})
export class HistoryModule {}
