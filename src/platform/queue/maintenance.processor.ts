import { Processor } from '@nestjs/bullmq';
import { JobProcessor } from './job-processor.js';
import { MAINTENANCE_QUEUE } from './queue-connection.js';

/** Does the maintenance jobs: rare, short, and harmless to repeat. */
@Processor(MAINTENANCE_QUEUE)
export class MaintenanceProcessor extends JobProcessor {}
