import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../src/config/app-config.js';
import { DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { EventPartitionStore } from '../../src/platform/events/partitions/event-partition-store.js';
import { EventPartitionsService } from '../../src/platform/events/partitions/event-partitions.service.js';
import { type HealthDetails, ReadinessRegistry } from '../../src/platform/health/readiness-registry.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import { PurgeRunsRepository } from '../../src/platform/scheduling/purge-runs.repository.js';
import { Clock } from '../../src/shared/clock.js';
import type { TestApp } from './test-app.js';

const DAY_MS = 86_400_000;

export interface UpkeepOptions {
  /** `RETENTION_EVENTS`. */
  readonly days?: number;
  /** `DATABASE_POOL_SIZE`. */
  readonly poolSize?: number;
  /** Names of the durable readers. */
  readonly readers?: readonly string[];
}

/** What looks after the partitions in one more process, as it is configured there, without booting it. */
export class PartitionUpkeep {
  readonly #metrics = new Metrics();
  readonly #readiness = new ReadinessRegistry();
  readonly #service: EventPartitionsService;

  private constructor(app: TestApp, logger: PinoLogger, { days = 3_650, poolSize, readers = [] }: UpkeepOptions) {
    const base = app.get(AppConfig);
    const config = Object.create(base, {
      retention: { value: { ...base.retention, eventsMs: days * DAY_MS } },
      database: { value: { ...base.database, poolSize: poolSize ?? base.database.poolSize } },
    }) as AppConfig;
    const registry = new DurableReaderRegistry();
    readers.forEach((name) => {
      registry.register({ name, batchSize: 1, apply: () => Promise.resolve() });
    });
    this.#service = new EventPartitionsService(
      app.get(EventPartitionStore),
      registry,
      config,
      app.get(Clock),
      this.#readiness,
      new PurgeRegistry(config, app.get(Transactions), app.get(PurgeRunsRepository), this.#metrics),
      this.#metrics,
      logger,
    );
    this.#service.onModuleInit();
  }

  static async of(app: TestApp, options: UpkeepOptions = {}): Promise<PartitionUpkeep> {
    return new PartitionUpkeep(app, await app.nest.resolve(PinoLogger), options);
  }

  maintain(): Promise<boolean> {
    return this.#service.maintain();
  }

  async health(): Promise<HealthDetails | undefined> {
    return this.#readiness.dependencies[0]?.check();
  }

  /** How many partitions this process made, or dropped. */
  async partitions(step: 'made' | 'dropped'): Promise<number> {
    const line = new RegExp(`^mortise_event_partitions_total\\{step="${step}"\\} (\\d+)$`, 'm');
    return Number(line.exec(await this.#metrics.render())?.[1]);
  }

  /** What the alarm shows. */
  async defaultRows(): Promise<number> {
    const line = /^mortise_events_default_rows (\d+)$/m.exec(await this.#metrics.render());
    return Number(line?.[1]);
  }
}
