import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { newContext, runInContext } from '../context/request-context.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { inBackground } from '../process/faults.js';
import { JobRegistry } from './job-registry.js';
import { OutageLog } from './outage-log.js';

/** Runs the handlers of the jobs of one queue; logs and counts the outcomes. */
@Injectable()
export abstract class JobProcessor extends WorkerHost implements OnModuleDestroy {
  readonly #jobs: Counter<'job' | 'outcome'>;
  readonly #outage: OutageLog;

  constructor(
    private readonly handlers: JobRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    super();
    logger.setContext(new.target.name);
    this.#outage = new OutageLog(logger);
    this.#jobs = metrics.counter('mortise_jobs_total', 'Jobs done, by outcome.', ['job', 'outcome']);
  }

  /** Takes no further job. Not awaited here: while Redis is away, it ends only once the connections give up. */
  onModuleDestroy(): void {
    inBackground(() => this.worker.close());
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
    this.#outage.report(error);
  }

  @OnWorkerEvent('ready')
  onReady(): void {
    this.#outage.over();
  }
}
