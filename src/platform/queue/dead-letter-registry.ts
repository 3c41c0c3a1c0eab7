import { Injectable } from '@nestjs/common';
import type { Page } from '../../shared/paging.js';
import type { JobQueueName } from './queue-plans.js';

/** Work that was given up: no worker tries it again by itself. */
export interface DeadLetter {
  readonly id: string;
  /** What kind of work: the template of a mail, the type of an export or an event, the name of a job. */
  readonly kind: string | null;
  /** For whom it was, so that a person is recognized and not shown; null where it is for none. */
  readonly recipient: string | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly failedAt: Date;
  /** False: what it takes is gone. */
  readonly isReplayable: boolean;
}

/** What became of the wish to do it again; `gone`: there is no such dead letter, or not any more. */
export type ReplayOutcome = 'replayed' | 'gone' | 'not_replayable';

/** Where the work of a queue is that was given up. What changes something joins the surrounding transaction. */
export interface DeadLetterSource {
  /** Newest first. @throws InvalidCursorError */
  list(page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<DeadLetter>>;
  /** Has it done once more, however many ask at once. */
  replay(id: string): Promise<ReplayOutcome>;
  /** @returns false when there is none. */
  discard(id: string): Promise<boolean>;
}

const NONE: DeadLetterSource = {
  list: () => Promise.resolve({ items: [], nextCursor: null }),
  replay: () => Promise.resolve('gone'),
  discard: () => Promise.resolve(false),
};

/** The dead letters of each queue. Their owner registers at `onModuleInit`; a queue without one has none. */
@Injectable()
export class DeadLetterRegistry {
  readonly #sources = new Map<JobQueueName, DeadLetterSource>();

  /** @throws when the queue has a source already. */
  register(queue: JobQueueName, source: DeadLetterSource): void {
    if (this.#sources.has(queue)) {
      throw new Error(`The dead letters of "${queue}" have two owners.`);
    }
    this.#sources.set(queue, source);
  }

  of(queue: JobQueueName): DeadLetterSource {
    return this.#sources.get(queue) ?? NONE;
  }
}
