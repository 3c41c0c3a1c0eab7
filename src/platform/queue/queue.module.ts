import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { JobRegistry } from './job-registry.js';
import { JobQueue } from './job-queue.js';
import { QueueConnectionConfig } from './queue-connection-config.js';
import { QueueInspectionModule } from './queue-inspection.module.js';

/** For the worker role: BullMQ's workers, the registry of jobs, and the way to add one. */
@Module({
  imports: [
    QueueInspectionModule,
    BullModule.forRootAsync({
      imports: [QueueInspectionModule],
      inject: [QueueConnectionConfig],
      useFactory: (connection: QueueConnectionConfig) => ({ connection: connection.options }),
    }),
    // The workers of its queues: without a queue of its own, for which it would open a further connection.
    BullModule.registerQueue(),
  ],
  providers: [JobRegistry, JobQueue],
  exports: [JobRegistry, JobQueue, BullModule, QueueInspectionModule],
})
export class QueueModule {}
