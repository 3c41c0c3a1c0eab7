import { Module } from '@nestjs/common';
import { DurableReaderLoops } from '../platform/events/durable-reader-loops.js';
import { EventPartitions } from '../platform/events/event-partitions.js';
import { FeedRelay } from '../platform/events/feed-relay.js';
import { IdempotencyPurge } from '../platform/idempotency/idempotency-purge.js';
import { MaintenanceProcessor } from '../platform/queue/maintenance.processor.js';
import { MaintenanceSchedule } from '../platform/queue/maintenance-schedule.js';
import { QueueModule } from '../platform/queue/queue.module.js';
import { CoreModule } from './core.module.js';

/** Edges for work behind the requests: the ways out of the event log, and the jobs. */
@Module({
  imports: [CoreModule, QueueModule],
  providers: [
    FeedRelay,
    DurableReaderLoops,
    EventPartitions,
    IdempotencyPurge,
    MaintenanceProcessor,
    MaintenanceSchedule,
  ],
})
export class WorkerModule {}
