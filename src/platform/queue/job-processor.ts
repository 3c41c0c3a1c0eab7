import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Job, type Worker } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { newContext, runInContext } from '../context/request-context.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { inBackground } from '../process/faults.js';
import { JobRegistry } from './job-registry.js';
import { OutageLog } from './outage-log.js';
import { QueueConnectionConfig } from './queue-connection-config.js';

/** By these words BullMQ says that this worker does not hold a job any more. */
const LOST_LEASE = /could not renew lock|missing lock|lock mismatch/i;

/** Runs the handlers of the jobs of one queue; logs and counts the outcomes. */
@Injectable()
export abstract class JobProcessor extends WorkerHost implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #jobs: Counter<'job' | 'outcome'>;
  readonly #outage: OutageLog;
  /** There is none in an application that only was built. */
  #worker: Worker | undefined;

  constructor(
    private readonly handlers: JobRegistry,
    private readonly connection: QueueConnectionConfig,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    super();
    logger.setContext(new.target.name);
    this.#outage = new OutageLog(logger);
    this.#jobs = metrics.counter('mortise_jobs_total', 'Jobs done, by outcome.', ['job', 'outcome']);
  }

  onApplicationBootstrap(): void {
    this.#worker = this.worker;
  }

  /** Takes no further job. Not awaited here: the other worker of this module has to begin as well, before its connections end. */
  onModuleDestroy(): void {
    inBackground(async () => this.#worker?.close());
    queueMicrotask(() => {
      this.connection.giveUp();
    });
  }

  async process(job: Job<Jobs[JobName], void, JobName>): Promise<void> {
    await runInContext(newContext('system', 'system'), async () => {
      try {
        await this.handlers.get(job.name)(job.data);
        this.#jobs.inc({ job: job.name, outcome: 'done' });
        this.logger.debug({ job: job.name, jobId: job.id }, 'Job done');
      } catch (error) {
        this.#jobs.inc({ job: job.name, outcome: 'failed' });
        this.logger.error({ job: job.name, jobId: job.id, err: error }, 'Job failed');
        throw error;
      }
    });
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    if (LOST_LEASE.test(error.message)) {
      this.logger.warn({ reason: error.message }, 'A job took longer than its lease; another worker may repeat it');
    } else {
      this.#outage.report(error);
    }
  }

  @OnWorkerEvent('ready')
  onReady(): void {
    this.#outage.over();
  }
}
