import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { JobHandlers } from './job-handlers.js';
import { MAINTENANCE_QUEUE, QueueConnection } from './queue-connection.js';

/** BullMQ, for the worker role: its queues and the register of who does which job. */
@Module({
  imports: [
    BullModule.forRootAsync({
      extraProviders: [QueueConnection],
      inject: [QueueConnection],
      useFactory: (connection: QueueConnection) => ({ connection: connection.options }),
    }),
    BullModule.registerQueue({ name: MAINTENANCE_QUEUE }),
  ],
  providers: [JobHandlers],
  exports: [JobHandlers, BullModule],
})
export class QueueModule {}
