import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type Gauge, Metrics } from '../metrics/metrics.js';
import { JobRegistry } from '../queue/job-registry.js';
import { EventStore } from './event-store.js';

const WEEKS_AHEAD = 4;
/** More would only make the count slow. */
const STRAYS_COUNTED = 10_000;

declare module '../../contracts/jobs.js' {
  interface Jobs {
    /** Makes the weekly partitions of the event log ahead of time. */
    make_event_partitions: Record<string, never>;
  }
}

/** Makes the log's weekly partitions ahead of time, and raises an alarm when events arrived without a partition. */
@Injectable()
export class EventPartitionsJob implements OnModuleInit, OnApplicationBootstrap {
  readonly #strays: Gauge;

  constructor(
    private readonly store: EventStore,
    private readonly jobs: JobRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventPartitionsJob.name);
    this.#strays = metrics.gauge(
      'mortise_events_default_rows',
      'Events in the default partition: anything above 0 is an alarm.',
    );
  }

  onModuleInit(): void {
    this.jobs.register('make_event_partitions', { queue: 'maintenance', everyMs: 3_600_000 }, () => this.keepAhead());
  }

  /** Not left to the job alone: the queue may be away for longer than the partitions last. */
  async onApplicationBootstrap(): Promise<void> {
    await this.keepAhead().catch((error: unknown) => {
      this.logger.error({ err: error }, 'The event partitions were not made; the maintenance job tries again');
    });
  }

  private async keepAhead(): Promise<void> {
    const made = await this.store.makePartitions(WEEKS_AHEAD);
    if (made > 0) {
      this.logger.info({ made }, 'Event partitions were made');
    }
    const strays = await this.store.countStrays(STRAYS_COUNTED);
    this.#strays.set(strays);
    if (strays > 0) {
      this.logger.error({ strays }, 'Events lie in the default partition');
    }
  }
}
