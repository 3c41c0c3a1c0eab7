import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Job } from 'bullmq';
import { decodeCursor, encodeCursor, isStorableText } from '../../shared/cursor.js';
import { within } from '../../shared/deadline.js';
import { isInstant } from '../../shared/instant.js';
import { type Page, toPage } from '../../shared/paging.js';
import {
  type DeadLetter,
  DeadLetterRegistry,
  type DeadLetterSource,
  type ReplayOutcome,
} from './dead-letter-registry.js';
import { QueuesUnavailableError } from './queue.errors.js';
import { QueueRegistry } from './queue-registry.js';

const LIST = 'failed-jobs';
/** Jobs that failed are kept by their names: a hundred of each at most. */
const MOST = 10_000;
const ANSWER_WITHIN_MS = 2_000;

/** Maintenance jobs that failed for good. They stand for no rows, and BullMQ keeps them; each comes again by itself, too. */
@Injectable()
export class FailedJobsStore implements DeadLetterSource, OnModuleInit {
  constructor(
    private readonly queues: QueueRegistry,
    private readonly registry: DeadLetterRegistry,
  ) {}

  onModuleInit(): void {
    this.registry.register('maintenance', this);
  }

  /** @throws QueuesUnavailableError, InvalidCursorError */
  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    const after = decodeCursor(LIST, cursor, [isInstant, isStorableText]);
    const jobs = await answered(this.queues.get('maintenance').getFailed(0, MOST));
    const letters = jobs.map(toDeadLetter).sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
    const rest = after === null ? letters : letters.filter((letter) => keyOf(letter) < after.join(' '));
    return toPage(
      rest.slice(0, limit + 1),
      limit,
      (letter) => letter,
      ({ failedAt, id }) => encodeCursor(LIST, [failedAt.toISOString(), id]),
    );
  }

  /** @throws QueuesUnavailableError */
  async replay(id: string): Promise<ReplayOutcome> {
    const job = await this.find(id);
    if (!job) {
      return 'gone';
    }
    // BullMQ moves it in one step, so that one of two succeeds.
    return answered(job.retry('failed', { resetAttemptsMade: true })).then(
      () => 'replayed' as const,
      async (error: unknown) => {
        if (await this.find(id)) {
          throw error;
        }
        return 'gone' as const;
      },
    );
  }

  /** @throws QueuesUnavailableError */
  async discard(id: string): Promise<boolean> {
    const job = await this.find(id);
    return job !== undefined && (await answered(this.queues.get('maintenance').remove(id))) === 1;
  }

  private async find(id: string): Promise<Job | undefined> {
    const job: Job | undefined = await answered(this.queues.get('maintenance').getJob(id));
    return job && (await answered(job.isFailed())) ? job : undefined;
  }
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await within(ANSWER_WITHIN_MS, answer);
  } catch (error) {
    throw new QueuesUnavailableError({ cause: error });
  }
}

function toDeadLetter({ id = '', name, failedReason, attemptsMade, finishedOn = 0 }: Job): DeadLetter {
  return {
    id,
    kind: name,
    recipient: null,
    error: failedReason,
    attempts: attemptsMade,
    failedAt: new Date(finishedOn),
    isReplayable: true,
  };
}

/** In the order of time; ids break ties. */
function keyOf({ failedAt, id }: DeadLetter): string {
  return `${failedAt.toISOString()} ${id}`;
}
