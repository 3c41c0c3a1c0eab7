import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { messageOfError } from '../../shared/error-message.js';
import { type BackgroundLoop } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { JobRegistry } from './job-registry.js';
import { QueueRegistry } from './queue-registry.js';

const CHECK_EVERY_MS = 60_000;
const RETRY_MS = 10_000;
const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: 10,
  removeOnFail: 100,
};

/** Keeps the repeating jobs in the queue. It looks again every minute: a wiped Redis has forgotten them. */
@Injectable()
export class JobScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #queue: Queue;
  readonly #loop: BackgroundLoop;

  constructor(
    queues: QueueRegistry,
    private readonly jobs: JobRegistry,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(JobScheduler.name);
    this.#queue = queues.get('maintenance');
    this.#loop = loops.create('job_schedules', () => this.ensure().then(() => 'idle'), {
      idleFromMs: CHECK_EVERY_MS,
      idleMs: CHECK_EVERY_MS,
      retryMs: RETRY_MS,
      onError: (error, failures) => {
        // One line per outage, not one per attempt.
        logger[failures === 1 ? 'warn' : 'debug'](
          { reason: messageOfError(error) },
          'The repeating jobs could not be scheduled',
        );
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  /** Waits for Redis while that is away. */
  async ensure(): Promise<void> {
    for (const [name, everyMs] of this.jobs.repeating()) {
      // Another release may have planned it with another period.
      if ((await this.#queue.getJobScheduler(name))?.every !== everyMs) {
        await this.#queue.upsertJobScheduler(name, { every: everyMs }, { name, data: {}, opts: JOB_OPTIONS });
      }
    }
  }
}
