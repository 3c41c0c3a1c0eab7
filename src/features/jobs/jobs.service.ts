import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import {
  type DeadLetter,
  DeadLetterRegistry,
  type DeadLetterSource,
} from '../../platform/queue/dead-letter-registry.js';
import { JOB_QUEUES, type JobQueueName } from '../../platform/queue/queue-plans.js';
import { newId } from '../../shared/ids.js';
import type { Page } from '../../shared/paging.js';
import { DeadLetterNotFoundError, DeadLetterNotReplayableError, QueueNotFoundError } from './jobs.errors.js';

/** What administrators do about work that was given up. */
@Injectable()
export class JobsService {
  constructor(
    private readonly letters: DeadLetterRegistry,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Newest first. @throws QueueNotFoundError, InvalidCursorError, QueuesUnavailableError */
  list(queue: string, page: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    return this.transactions.run(async () => {
      const letters = await this.sourceOf(queue).list(page);
      await this.audit.record({ entity: { type: 'queue', id: queue } });
      return letters;
    });
  }

  /**
   * A repeat under the same idempotency key changes nothing.
   * @throws QueueNotFoundError, DeadLetterNotFoundError, DeadLetterNotReplayableError, QueuesUnavailableError
   */
  replay(queue: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        await this.audit.record({ entity: { type: 'dead_letter', id }, after: { queue } });
        // Last: what Redis has done is not taken back.
        const outcome = await this.sourceOf(queue).replay(id);
        if (outcome === 'gone') {
          throw new DeadLetterNotFoundError();
        }
        if (outcome === 'not_replayable') {
          throw new DeadLetterNotReplayableError();
        }
        // Ids of jobs are none that a key could stand for, and nothing is answered.
        return newId();
      });
    });
  }

  /** @throws QueueNotFoundError, DeadLetterNotFoundError, QueuesUnavailableError */
  discard(queue: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.audit.record({ entity: { type: 'dead_letter', id }, before: { queue } });
      if (!(await this.sourceOf(queue).discard(id))) {
        throw new DeadLetterNotFoundError();
      }
    });
  }

  private sourceOf(queue: string): DeadLetterSource {
    if (!isQueue(queue)) {
      throw new QueueNotFoundError(queue);
    }
    return this.letters.of(queue);
  }
}

function isQueue(name: string): name is JobQueueName {
  return JOB_QUEUES.some((queue) => queue === name);
}
