import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Job, type Worker } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import type { JobName, Jobs } from '../../contracts/jobs.js';
import { newContext, runInContext } from '../context/request-context.js';
import { type Counter, type Histogram, Metrics } from '../metrics/metrics.js';
import { inBackground } from '../process/faults.js';
import { JobRegistry } from './job-registry.js';
import { JobTimesStore } from './job-times-store.js';
import { OutageLog } from './outage-log.js';
import { QueueConnectionConfig } from './queue-connection-config.js';
import type { JobQueueName } from './queue-plans.js';

/** By these words BullMQ says that this worker does not hold a job any more. */
const LOST_LEASE = /could not renew lock|missing lock|lock mismatch/i;

/** Runs the handlers of the jobs of one queue; logs and counts the outcomes, and how long they took. */
@Injectable()
export abstract class JobProcessor extends WorkerHost implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #jobs: Counter<'job' | 'outcome'>;
  readonly #durations: Histogram<'job' | 'outcome'>;
  readonly #retries: Counter<'job'>;
  readonly #outage: OutageLog;
  /** There is none in an application that only was built. */
  #worker: Worker | undefined;

  constructor(
    private readonly handlers: JobRegistry,
    private readonly connection: QueueConnectionConfig,
    metrics: Metrics,
    private readonly logger: PinoLogger,
    private readonly config: AppConfig,
    private readonly times: JobTimesStore,
  ) {
    super();
    logger.setContext(JobProcessor.name);
    this.#outage = new OutageLog(logger);
    this.#jobs = metrics.counter('mortise_jobs_total', 'Jobs done, by outcome.', ['job', 'outcome']);
    this.#durations = metrics.latency('mortise_job_duration_seconds', 'Time that a job took, by outcome', [
      'job',
      'outcome',
    ]);
    this.#retries = metrics.counter(
      'mortise_job_retries_total',
      'Jobs that began again, after a failure or because their worker was gone',
      ['job'],
    );
  }

  onApplicationBootstrap(): void {
    this.#worker = this.worker;
    this.worker.concurrency = this.config.concurrency[this.worker.name as JobQueueName];
  }

  /** Takes no further job. Not awaited here: the other workers of this process have to begin as well, before its connections end. */
  onModuleDestroy(): void {
    inBackground(async () => this.#worker?.close());
    queueMicrotask(() => {
      this.connection.giveUp();
    });
  }

  async process(job: Job<Jobs[JobName], void, JobName>): Promise<void> {
    if (job.attemptsStarted > 1) {
      this.#retries.inc({ job: job.name });
    }
    const begunAt = performance.now();
    await runInContext(newContext('system', 'system'), async () => {
      try {
        await this.handlers.get(job.name)(job.data);
        this.count(job, 'done', begunAt);
        this.logger.debug({ job: job.name, jobId: job.id }, 'Job done');
      } catch (error) {
        this.count(job, 'failed', begunAt);
        this.logger.error({ job: job.name, jobId: job.id, err: error }, 'Job failed');
        throw error;
      }
    });
  }

  private count(job: Job<unknown, void, JobName>, outcome: 'done' | 'failed', begunAt: number): void {
    const tookMs = performance.now() - begunAt;
    this.#jobs.inc({ job: job.name, outcome });
    this.#durations.observe({ job: job.name, outcome }, tookMs / 1_000);
    this.times.record(this.worker.name as JobQueueName, { waitedMs: waitOf(job), tookMs });
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

/** From when it was due; by the clocks of the process that added it and of this one. */
function waitOf({ timestamp, delay, processedOn = Date.now() }: Job<unknown, void, JobName>): number {
  return Math.max(0, processedOn - timestamp - delay);
}
