import { Processor } from '@nestjs/bullmq';
import { JobProcessor } from './job-processor.js';
import { DELIVERY_QUEUE, WORKER_OPTIONS } from './queue-connection-config.js';

/** A server that is slow to answer delays its own mail only. */
const CONCURRENCY = 8;

/** Handles calls to other servers, several at once: each job is one attempt, and a later job may repeat it. */
@Processor(DELIVERY_QUEUE, { ...WORKER_OPTIONS, concurrency: CONCURRENCY })
export class DeliveryProcessor extends JobProcessor {}
