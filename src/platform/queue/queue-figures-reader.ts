import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { within } from '../../shared/deadline.js';
import { type EndedJob, JobTimesStore } from './job-times-store.js';
import { endedInLastHour } from './queue-hour.js';
import type { JobQueueName } from './queue-plans.js';
import { QueuesUnavailableError } from './queue.errors.js';
import { QueueRegistry } from './queue-registry.js';

/** `prioritized`: they wait behind those that are urgent. */
export const JOB_STATES = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;
type JobState = (typeof JOB_STATES)[number];

const ANSWER_WITHIN_MS = 2_000;

/** What waits in a queue. */
interface QueueBacklog {
  readonly queue: JobQueueName;
  readonly counts: Readonly<Record<JobState, number>>;
  /** How long the oldest job has been waiting for a worker; 0 when none waits. */
  readonly oldestS: number;
}

/** A median and the time that 95 of 100 do not exceed, in milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

/** How long recent jobs waited for a worker and how long they took. */
export interface QueueLatency {
  readonly jobs: number;
  /** When the oldest of them ended. */
  readonly since: Date;
  readonly waitedMs: Quantiles;
  readonly tookMs: Quantiles;
}

/** All that is known of a queue. */
export interface QueueFigures extends QueueBacklog {
  /** Of one worker that is set up as this process. */
  readonly concurrency: number;
  readonly isPaused: boolean;
  readonly lastHour: { readonly completed: number; readonly failed: number };
  /** Null where no job ended in the last day. */
  readonly latency: QueueLatency | null;
}

/** Looks at the queues, as all processes see them. */
@Injectable()
export class QueueFiguresReader {
  constructor(
    private readonly queues: QueueRegistry,
    private readonly times: JobTimesStore,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** @throws QueuesUnavailableError */
  backlogs(): Promise<QueueBacklog[]> {
    return answered(Promise.all(this.queues.all().map((queue) => this.backlogOf(queue))));
  }

  /** @throws QueuesUnavailableError */
  figures(): Promise<QueueFigures[]> {
    return answered(Promise.all(this.queues.all().map((queue) => this.figuresOf(queue))));
  }

  private async figuresOf(queue: Queue): Promise<QueueFigures> {
    const name = queue.name as JobQueueName;
    const [backlog, isPaused, completed, failed, ended] = await Promise.all([
      this.backlogOf(queue),
      queue.isPaused(),
      queue.getMetrics('completed'),
      queue.getMetrics('failed'),
      this.times.latest(name),
    ]);
    const now = this.clock.now();
    return {
      ...backlog,
      concurrency: this.config.concurrency[name],
      isPaused,
      lastHour: { completed: endedInLastHour(completed, now), failed: endedInLastHour(failed, now) },
      latency: latencyOf(ended),
    };
  }

  private async backlogOf(queue: Queue): Promise<QueueBacklog> {
    const [counts, [waiting], [prioritized]] = await Promise.all([
      queue.getJobCounts(...JOB_STATES),
      queue.getJobs(['waiting'], 0, 0, true),
      queue.getJobs(['prioritized'], 0, 0, true),
    ]);
    // One that was planned waits from its time on.
    const since = [waiting, prioritized].map((job) => (job ? job.timestamp + job.delay : Infinity));
    return {
      queue: queue.name as JobQueueName,
      counts: Object.fromEntries(JOB_STATES.map((state) => [state, counts[state] ?? 0])) as Record<JobState, number>,
      oldestS: Math.max(0, (this.clock.now() - Math.min(...since)) / 1_000),
    };
  }
}

async function answered<T>(figures: Promise<T>): Promise<T> {
  try {
    return await within(ANSWER_WITHIN_MS, figures);
  } catch (error) {
    throw new QueuesUnavailableError({ cause: error });
  }
}

function latencyOf(ended: readonly EndedJob[]): QueueLatency | null {
  const oldest = ended.at(-1);
  return oldest
    ? {
        jobs: ended.length,
        since: oldest.endedAt,
        waitedMs: quantilesOf(ended.map(({ waitedMs }) => waitedMs)),
        tookMs: quantilesOf(ended.map(({ tookMs }) => tookMs)),
      }
    : null;
}

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
