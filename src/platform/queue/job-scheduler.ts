import { InjectQueue } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { JobRegistry } from './job-registry.js';
import { OutageLog } from './outage-log.js';
import { MAINTENANCE_QUEUE } from './queue-connection-config.js';
import { inBackground } from '../process/faults.js';

const CHECK_EVERY_MS = 60_000;
const JOB_OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: 10,
  removeOnFail: 100,
};

/** Keeps the repeating jobs in the queue. It looks again every minute: a wiped Redis has forgotten them. */
@Injectable()
export class JobScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #outage: OutageLog;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;

  constructor(
    @InjectQueue(MAINTENANCE_QUEUE) private readonly queue: Queue,
    private readonly jobs: JobRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(JobScheduler.name);
    this.#outage = new OutageLog(logger);
    queue.on('error', (error: Error) => {
      this.#outage.report(error);
    });
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      inBackground(this.ensure());
    }, CHECK_EVERY_MS);
    inBackground(this.ensure());
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.queue.close();
  }

  /** Without Redis BullMQ waits for it, which is as good: nothing else waits for this. */
  async ensure(): Promise<void> {
    if (this.#checking) {
      return;
    }
    this.#checking = true;
    try {
      for (const [name, everyMs] of this.jobs.repeating()) {
        if (!(await this.queue.getJobScheduler(name))) {
          await this.queue.upsertJobScheduler(name, { every: everyMs }, { name, data: {}, opts: JOB_OPTIONS });
        }
      }
      this.#outage.over();
    } catch (error) {
      this.logger.warn({ err: error }, 'The repeating jobs could not be scheduled; the next check tries again');
    } finally {
      this.#checking = false;
    }
  }
}
