import { Module } from '@nestjs/common';
import { LoginPurge } from '../features/auth/login/login-purge.js';
import { OneTimeTokensPurge } from '../features/auth/tokens/one-time-tokens-purge.js';
import { ReceiptSweeper } from '../features/history/receipt-sweeper.js';
import { InvitationsPurge } from '../features/organizations/invitations-purge.js';
import { KeyRotationJob } from '../platform/keys/key-rotation-job.js';
import { DurableReaderLoops } from '../platform/events/durable-reader-loops.js';
import { EventPartitions } from '../platform/events/event-partitions.js';
import { FeedRelay } from '../platform/events/feed-relay.js';
import { IdempotencyPurge } from '../platform/idempotency/idempotency-purge.js';
import { MailDeliveryService } from '../platform/mail/mail-delivery.service.js';
import { MailSweeper } from '../platform/mail/mail-sweeper.js';
import { DeliveryProcessor } from '../platform/queue/delivery.processor.js';
import { MaintenanceProcessor } from '../platform/queue/maintenance.processor.js';
import { JobScheduler } from '../platform/queue/job-scheduler.js';
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
    InvitationsPurge,
    KeyRotationJob,
    LoginPurge,
    OneTimeTokensPurge,
    MailDeliveryService,
    MailSweeper,
    DeliveryProcessor,
    MaintenanceProcessor,
    JobScheduler,
    ReceiptSweeper,
  ],
})
export class WorkerModule {}
