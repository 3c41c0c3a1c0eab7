import { Module } from '@nestjs/common';
import { DeadLettersModule } from './dead-letters.module.js';
import { FailedJobsStore } from './failed-jobs-store.js';
import { JobTimesStore } from './job-times-store.js';
import { QueueConnectionConfig } from './queue-connection-config.js';
import { QueueFiguresReader } from './queue-figures-reader.js';
import { QueueRegistry } from './queue-registry.js';

/** The queues as those see them who do none of their jobs: one connection to Redis. For the api role, and the worker role. */
@Module({
  imports: [DeadLettersModule],
  providers: [FailedJobsStore, QueueConnectionConfig, QueueRegistry, JobTimesStore, QueueFiguresReader],
  exports: [QueueConnectionConfig, QueueRegistry, JobTimesStore, QueueFiguresReader],
})
export class QueueInspectionModule {}
