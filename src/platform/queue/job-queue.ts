import { Injectable } from '@nestjs/common';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { within } from '../../shared/deadline.js';
import { JobRegistry } from './job-registry.js';
import { hasUrgentJobs } from './queue-plans.js';
import { QueueRegistry } from './queue-registry.js';

const ADD_WITHIN_MS = 2_000;
/** BullMQ takes jobs without a priority first: those are the urgent ones. One number for the others keeps them in their order. */
const NOT_URGENT = 1;

/** Adds single jobs. Each stands for a row in PostgreSQL, so losing one costs time only. */
@Injectable()
export class JobQueue {
  constructor(
    private readonly queues: QueueRegistry,
    private readonly jobs: JobRegistry,
  ) {}

  /**
   * @param id a job with the id of one that waits is not added again; without `:`.
   * @param isUrgent before all that are not; only in a queue that has urgent jobs.
   * @throws DeadlineExceededError while Redis is away; an Error when the job has no handler, or its queue no urgent jobs
   */
  async add<N extends JobName>(name: N, body: Jobs[N], id: string, isUrgent = false): Promise<void> {
    const queue = this.jobs.queueOf(name);
    if (isUrgent && !hasUrgentJobs(queue)) {
      throw new Error(`The queue "${queue}" has no urgent jobs.`);
    }
    const options = {
      jobId: id,
      removeOnComplete: true,
      removeOnFail: true,
      ...(hasUrgentJobs(queue) && !isUrgent ? { priority: NOT_URGENT } : {}),
    };
    await within(ADD_WITHIN_MS, this.queues.get(queue).add(name, body, options));
  }
}
