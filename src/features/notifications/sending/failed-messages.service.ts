import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../../../platform/prisma/transactions.js';
import {
  type DeadLetter,
  DeadLetterRegistry,
  type DeadLetterSource,
  type ReplayOutcome,
} from '../../../platform/queue/dead-letter-registry.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { type FailedMessage, FailedMessagesRepository } from './failed-messages.repository.js';

const LIST = 'failed-notifications';

/** Messages that were given up, for administrators: they see for whom they were, not what they say. */
@Injectable()
export class FailedMessagesService implements DeadLetterSource, OnModuleInit {
  constructor(
    private readonly failed: FailedMessagesRepository,
    private readonly registry: DeadLetterRegistry,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.registry.register('notifications', this);
  }

  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    const after = decodeCursor(LIST, cursor, CREATION_PARTS);
    return toPage(await this.failed.list(limit, after), limit, toDeadLetter, ({ finishedAt, id }) =>
      encodeCursor(LIST, [finishedAt.toISOString(), id]),
    );
  }

  /** When it is sent, it is judged anew what may still be said. */
  async replay(id: string): Promise<ReplayOutcome> {
    if (!isUuid(id) || !(await this.failed.sendAgain(id))) {
      return 'gone';
    }
    this.transactions.afterCommit(() => {
      this.signals.publish('notifications_wait', {});
    });
    return 'replayed';
  }

  discard(id: string): Promise<boolean> {
    return isUuid(id) ? this.failed.discard(id) : Promise.resolve(false);
  }
}

function toDeadLetter({ id, userId, channel, attempts, lastError, finishedAt }: FailedMessage): DeadLetter {
  return { id, kind: channel, recipient: userId, error: lastError, attempts, failedAt: finishedAt, isReplayable: true };
}
