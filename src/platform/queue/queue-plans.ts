import type { WorkerOptions } from 'bullmq';
import type { QueueConcurrency } from '../../config/queues.js';

export type JobQueueName = keyof QueueConcurrency;

interface QueuePlan {
  /** Its jobs take seconds: one whose worker was killed begins again at another one soon. */
  readonly isShort: boolean;
  /** Some of its jobs overtake the others: see `JobQueue.add`. */
  readonly hasUrgentJobs: boolean;
}

/**
 * `exports`: minutes of work. `notifications`, `webhooks`, `mail`: calls to other servers, each of which delays its own jobs only.
 * `maintenance`: rare, and harmless to repeat. How many at once is a setting.
 */
const PLANS: Readonly<Record<JobQueueName, QueuePlan>> = {
  exports: { isShort: false, hasUrgentJobs: false },
  notifications: { isShort: true, hasUrgentJobs: true },
  webhooks: { isShort: true, hasUrgentJobs: false },
  mail: { isShort: true, hasUrgentJobs: false },
  maintenance: { isShort: false, hasUrgentJobs: false },
};
export const JOB_QUEUES = Object.keys(PLANS) as readonly JobQueueName[];

/** A worker that lost Redis looks again after this pause, which closing it has to wait for. */
const LOOK_AGAIN_MS = 1_000;
/** Of finished jobs: an hour, by minutes. */
const MINUTES_COUNTED = 60;
/**
 * A killed worker's job is free 1.5 s later at the latest, and found at the next look. Several workers take turns to look, so that
 * two looks are up to twice as far apart: together 2.3 s. A job that begins again a few times may be what ends its workers.
 */
const SHORT_JOBS = { lockDuration: 1_500, stalledInterval: 400, maxStalledCount: 3 };

/** What BullMQ's worker of a queue is told. */
export function workerOptionsOf(queue: JobQueueName): Partial<WorkerOptions> {
  return {
    runRetryDelay: LOOK_AGAIN_MS,
    metrics: { maxDataPoints: MINUTES_COUNTED },
    ...(PLANS[queue].isShort ? SHORT_JOBS : {}),
  };
}

export function hasUrgentJobs(queue: JobQueueName): boolean {
  return PLANS[queue].hasUrgentJobs;
}
