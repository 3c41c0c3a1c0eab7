import { Global, Module } from '@nestjs/common';
import { DurableReaderRegistry } from './durable-reader-registry.js';
import { EventLog } from './event-log.js';
import { EventStore } from './event-store.js';
import { FeedStream } from './feed-stream.js';
import { LiveFeed } from './live-feed.js';
import { ReaderBatches } from './reader-batches.js';
import { ReaderCursors } from './reader-cursors.js';
import { ReaderLeases } from './reader-leases.js';

/**
 * The event log: `EventLog` to write and page, `DurableReaderRegistry` and `LiveFeed` as its two ways out. The worker's loops
 * (`FeedRelay`, `DurableReaderLoops`, `EventPartitions`) are edges of that role and stand in its module.
 */
@Global()
@Module({
  providers: [
    EventStore,
    EventLog,
    ReaderCursors,
    ReaderLeases,
    ReaderBatches,
    DurableReaderRegistry,
    FeedStream,
    LiveFeed,
  ],
  exports: [EventStore, EventLog, ReaderLeases, ReaderBatches, DurableReaderRegistry, FeedStream, LiveFeed],
})
export class EventsModule {}
