import { ApiProperty } from '@nestjs/swagger';
import type { DeadLetter } from '../../platform/queue/dead-letter-registry.js';
import type { QueueFigures, QueueLatency, Quantiles } from '../../platform/queue/queue-figures-reader.js';
import { JOB_QUEUES, type JobQueueName } from '../../platform/queue/queue-plans.js';
import type { Page } from '../../shared/paging.js';

/** Jobs of a queue now. */
export class QueueCountsDto {
  /**
   * Those that the next free worker takes.
   * @example 0
   */
  waiting!: number;

  /**
   * Those that wait behind the ones that are urgent.
   * @example 0
   */
  prioritized!: number;

  /**
   * Those that workers do.
   * @example 2
   */
  active!: number;

  /**
   * Those that are planned, and those that are tried again later.
   * @example 0
   */
  delayed!: number;

  /**
   * Those that failed for good and are kept by Redis, as of maintenance. What was given up of the other queues is in their dead letters.
   * @example 0
   */
  failed!: number;
}

/** Jobs that ended in the last hour, to the minute. */
export class QueueHourDto {
  /** @example 128 */
  completed!: number;

  /**
   * Those that failed for good. A mail that is postponed, or given up, is a job that was completed.
   * @example 0
   */
  failed!: number;
}

/** In milliseconds. */
export class QuantilesDto {
  /**
   * The median.
   * @example 14
   */
  p50!: number;

  /**
   * 95 of 100 took no longer.
   * @example 210
   */
  p95!: number;
}

/** How long the latest jobs took, a thousand at most and of a day at most, whichever workers did them. */
export class QueueLatencyDto {
  /**
   * How many they are.
   * @example 128
   */
  jobs!: number;

  /**
   * When the first of them ended.
   * @example 2026-11-20T17:00:00.000Z
   */
  since!: string;

  /** How long they waited for a worker, once they were due. */
  waitedMs!: QuantilesDto;

  /** How long a worker took. */
  tookMs!: QuantilesDto;
}

/** A queue of jobs, as all processes see it. */
export class QueueDto {
  /** Its name. */
  @ApiProperty({ enum: JOB_QUEUES, example: 'mail' })
  name!: JobQueueName;

  counts!: QueueCountsDto;

  /**
   * How long the oldest job has been waiting for a worker, in seconds; 0 when none waits.
   * @example 0
   */
  oldestWaitingSeconds!: number;

  /**
   * How many of its jobs one worker does at once, if it is set up as the process that answers.
   * @example 10
   */
  concurrency!: number;

  /**
   * Whether workers take none of its jobs.
   * @example false
   */
  paused!: boolean;

  lastHour!: QueueHourDto;

  /** Null where no job has ended for a day. */
  @ApiProperty({ type: QueueLatencyDto, nullable: true })
  latency!: QueueLatencyDto | null;
}

export class QueuesDto {
  queues!: QueueDto[];
}

/** Work that was given up. */
export class DeadLetterDto {
  /**
   * What to replay or discard it by.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  id!: string;

  /** The template of a mail, the type of an export or of the event of a webhook, or the name of a job; null where it is not kept. */
  @ApiProperty({ type: String, nullable: true, example: 'password_reset' })
  kind!: string | null;

  /** A masked email address, or the id of an account or an organization; null where there is none, or it is not kept. */
  @ApiProperty({ type: String, nullable: true, example: 'a***@example.com' })
  recipient!: string | null;

  /** Of the last attempt: codes alone of a mail server, whose words may repeat the mail. */
  @ApiProperty({ type: String, nullable: true, example: 'EENVELOPE 550' })
  error!: string | null;

  /** @example 8 */
  attempts!: number;

  /**
   * When it was given up.
   * @example 2026-11-20T18:00:00.000Z
   */
  failedAt!: string;

  /**
   * Whether it can be done once more: false where what it takes is gone.
   * @example true
   */
  replayable!: boolean;
}

export class DeadLetterPageDto {
  items!: DeadLetterDto[];

  /**
   * Where the next page begins; null on the last one.
   * @example null
   */
  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor!: string | null;
}

export function toQueueDto({
  queue,
  counts,
  oldestS,
  concurrency,
  isPaused,
  lastHour,
  latency,
}: QueueFigures): QueueDto {
  return {
    name: queue,
    counts,
    oldestWaitingSeconds: Math.round(oldestS),
    concurrency,
    paused: isPaused,
    lastHour,
    latency: latency && toLatencyDto(latency),
  };
}

export function toDeadLetterPageDto({ items, nextCursor }: Page<DeadLetter>): DeadLetterPageDto {
  return {
    items: items.map(({ failedAt, isReplayable, ...letter }) => ({
      ...letter,
      failedAt: failedAt.toISOString(),
      replayable: isReplayable,
    })),
    nextCursor,
  };
}

function toLatencyDto({ jobs, since, waitedMs, tookMs }: QueueLatency): QueueLatencyDto {
  const copy = ({ p50, p95 }: Quantiles): QuantilesDto => ({ p50, p95 });
  return { jobs, since: since.toISOString(), waitedMs: copy(waitedMs), tookMs: copy(tookMs) };
}
