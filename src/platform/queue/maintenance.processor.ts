import { Processor } from '@nestjs/bullmq';
import { JobProcessor } from './job-processor.js';
import { MAINTENANCE_QUEUE, WORKER_OPTIONS } from './queue-connection-config.js';

/** Does the maintenance jobs: rare, short, and harmless to repeat. */
@Processor(MAINTENANCE_QUEUE, WORKER_OPTIONS)
export class MaintenanceProcessor extends JobProcessor {}
