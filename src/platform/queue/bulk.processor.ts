import { Processor } from '@nestjs/bullmq';
import { type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { Metrics } from '../metrics/metrics.js';
import { JobProcessor } from './job-processor.js';
import { JobRegistry } from './job-registry.js';
import { BULK_QUEUE, QueueConnectionConfig, WORKER_OPTIONS } from './queue-connection-config.js';

/** Does what takes minutes: as many at once as are configured. Each job is one attempt, which notices when another one replaces it. */
@Processor(BULK_QUEUE, WORKER_OPTIONS)
export class BulkProcessor extends JobProcessor implements OnApplicationBootstrap {
  constructor(
    handlers: JobRegistry,
    connection: QueueConnectionConfig,
    metrics: Metrics,
    logger: PinoLogger,
    private readonly config: AppConfig,
  ) {
    super(handlers, connection, metrics, logger);
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    this.worker.concurrency = this.config.exports.concurrency;
  }
}
