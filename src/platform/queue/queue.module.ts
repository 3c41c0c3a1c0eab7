import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { JobRegistry } from './job-registry.js';
import { JobQueue } from './job-queue.js';
import { BULK_QUEUE, DELIVERY_QUEUE, MAINTENANCE_QUEUE, QueueConnectionConfig } from './queue-connection-config.js';

@Module({ providers: [QueueConnectionConfig], exports: [QueueConnectionConfig] })
class QueueConnectionModule {}

/** BullMQ, for the worker role: its queues and the registry of jobs. */
@Module({
  imports: [
    QueueConnectionModule,
    BullModule.forRootAsync({
      imports: [QueueConnectionModule],
      inject: [QueueConnectionConfig],
      useFactory: (connection: QueueConnectionConfig) => ({ connection: connection.options }),
    }),
    BullModule.registerQueue({ name: MAINTENANCE_QUEUE }, { name: DELIVERY_QUEUE }, { name: BULK_QUEUE }),
  ],
  providers: [JobRegistry, JobQueue],
  exports: [JobRegistry, JobQueue, BullModule, QueueConnectionModule],
})
export class QueueModule {}
