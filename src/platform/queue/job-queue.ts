import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { within } from '../../shared/deadline.js';
import { type JobQueueName, JobRegistry } from './job-registry.js';
import { OutageLog } from './outage-log.js';
import { BULK_QUEUE, DELIVERY_QUEUE, MAINTENANCE_QUEUE } from './queue-connection-config.js';

const ADD_WITHIN_MS = 2_000;

/** Adds single jobs. Each stands for a row in PostgreSQL, so losing one costs time only. */
@Injectable()
export class JobQueue {
  readonly #queues: Readonly<Record<JobQueueName, Queue>>;

  constructor(
    @InjectQueue(MAINTENANCE_QUEUE) maintenance: Queue,
    @InjectQueue(DELIVERY_QUEUE) delivery: Queue,
    @InjectQueue(BULK_QUEUE) bulk: Queue,
    private readonly jobs: JobRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(JobQueue.name);
    this.#queues = { maintenance, delivery, bulk };
    const outage = new OutageLog(logger);
    // That of maintenance reports to the one who plans its jobs.
    for (const queue of [delivery, bulk]) {
      queue.on('error', (error: Error) => {
        outage.report(error);
      });
    }
  }

  /**
   * @param id a job with the id of one that waits is not added again; without `:`.
   * @throws DeadlineExceededError while Redis is away; an Error when the job has no handler
   */
  async add<N extends JobName>(name: N, body: Jobs[N], id: string): Promise<void> {
    const queue = this.#queues[this.jobs.queueOf(name)];
    await within(ADD_WITHIN_MS, queue.add(name, body, { jobId: id, removeOnComplete: true, removeOnFail: true }));
  }
}
