import { Processor } from '@nestjs/bullmq';
import { JobProcessor } from './job-processor.js';
import { DELIVERY_QUEUE, WORKER_OPTIONS } from './queue-connection.js';

/** A server that is slow to answer holds up its own mail, not everybody's. */
const CONCURRENCY = 8;

/** Does what goes out of the house, several at once: each job is one attempt, and may be made again by another. */
@Processor(DELIVERY_QUEUE, { ...WORKER_OPTIONS, concurrency: CONCURRENCY })
export class DeliveryProcessor extends JobProcessor {}
