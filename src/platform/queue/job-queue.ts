import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { within } from '../../shared/deadline.js';
import { JobRegistry } from './job-registry.js';
import { OutageLog } from './outage-log.js';
import { DELIVERY_QUEUE } from './queue-connection-config.js';

const ADD_WITHIN_MS = 2_000;

/** Adds single jobs. Each stands for a row in PostgreSQL, so losing one costs time only. */
@Injectable()
export class JobQueue {
  constructor(
    @InjectQueue(DELIVERY_QUEUE) private readonly delivery: Queue,
    private readonly jobs: JobRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(JobQueue.name);
    const outage = new OutageLog(logger);
    delivery.on('error', (error: Error) => {
      outage.report(error);
    });
  }

  /**
   * @param id a job with the id of one that waits is not added again; without `:`.
   * @throws DeadlineExceededError while Redis is away; an Error when the job has no handler
   */
  async add<N extends JobName>(name: N, body: Jobs[N], id: string): Promise<void> {
    this.jobs.get(name);
    await within(
      ADD_WITHIN_MS,
      this.delivery.add(name, body, { jobId: id, removeOnComplete: true, removeOnFail: true }),
    );
  }
}
