import { Processor } from '@nestjs/bullmq';
import type { Type } from '@nestjs/common';
import { JobProcessor } from './job-processor.js';
import { JOB_QUEUES, type JobQueueName, workerOptionsOf } from './queue-plans.js';

/** The worker of each queue: an edge of the worker role. */
export const QUEUE_PROCESSORS = JOB_QUEUES.map(queueProcessor);

/** The worker of one queue. */
export function queueProcessor(queue: JobQueueName): Type<JobProcessor> {
  @Processor(queue, workerOptionsOf(queue))
  class QueueProcessor extends JobProcessor {}

  return QueueProcessor;
}
