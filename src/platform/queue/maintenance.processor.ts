import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type OnApplicationBootstrap } from '@nestjs/common';
import { type Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { newContext, runInContext } from '../context/request-context.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { JobHandlers } from './job-handlers.js';
import { MAINTENANCE_QUEUE, OutageLog } from './queue-connection.js';

/** Does the maintenance jobs: rare, short, and harmless to repeat. */
@Processor(MAINTENANCE_QUEUE)
export class MaintenanceProcessor extends WorkerHost implements OnApplicationBootstrap {
  readonly #jobs: Counter<'job' | 'outcome'>;
  readonly #outage: OutageLog;

  constructor(
    private readonly handlers: JobHandlers,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    super();
    logger.setContext(MaintenanceProcessor.name);
    this.#outage = new OutageLog(logger);
    this.#jobs = metrics.counter('mortise_jobs_total', 'Jobs done, by outcome.', ['job', 'outcome']);
  }

  onApplicationBootstrap(): void {
    this.handlers.assertComplete();
  }

  async process(job: Job<Jobs[JobName], void, JobName>): Promise<void> {
    await runInContext(newContext('system', 'system'), async () => {
      try {
        await this.handlers.get(job.name)(job.data);
        this.#jobs.inc({ job: job.name, outcome: 'done' });
        this.logger.info({ job: job.name, jobId: job.id }, 'Job done');
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
