import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DurableReaderRegistry } from './durable-reader-registry.js';
import { EventLog } from './event-log.js';
import { FeatureRegistrationModule } from '../roles/feature-registration.module.js';
import { type CompleteEvents, type EventDeclaration, EventTypeRegistry } from './event-type-registry.js';
import { EventPartitionStore } from './partitions/event-partition-store.js';
import { EventPartitionsService } from './partitions/event-partitions.service.js';
import { EventPageStore } from './pages/event-page-store.js';
import { EventScopeStore } from './pages/event-scope-store.js';
import { EventStore } from './event-store.js';
import { FeedHealthService } from './feed-health.service.js';
import { FeedLagRepository } from './feed-lag.repository.js';
import { FeedStream } from './feed-stream.js';
import { LiveFeed } from './live-feed.js';
import { ReaderBatchService } from './reader-batch.service.js';
import { ReaderCursorsRepository } from './reader-cursors.repository.js';
import { ReaderLeaseStore } from './reader-lease-store.js';

/**
 * The event log: `EventLog` to write and page, `DurableReaderRegistry` and `LiveFeed` as its two ways out. The worker's loops
 * (`FeedRelay`, `DurableReaderScheduler`) are edges of that role, `EventPartitionsScheduler` is one of every role.
 */
@Global()
@Module({
  providers: [
    EventTypeRegistry,
    EventStore,
    EventScopeStore,
    EventPageStore,
    EventPartitionStore,
    EventPartitionsService,
    EventLog,
    ReaderCursorsRepository,
    ReaderLeaseStore,
    ReaderBatchService,
    DurableReaderRegistry,
    FeedStream,
    LiveFeed,
    FeedLagRepository,
    FeedHealthService,
  ],
  exports: [
    EventTypeRegistry,
    EventStore,
    EventPartitionsService,
    EventLog,
    ReaderLeaseStore,
    ReaderBatchService,
    DurableReaderRegistry,
    FeedStream,
    LiveFeed,
  ],
})
export class EventsModule {
  /** Registers the event types of a feature. */
  static forFeature<D extends EventDeclaration>(declaration: CompleteEvents<D> & D): DynamicModule {
    return FeatureRegistrationModule.with(EventTypeRegistry, declaration);
  }
}
