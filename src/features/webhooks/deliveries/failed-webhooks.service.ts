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
import { type FailedWebhook, FailedWebhooksRepository } from './failed-webhooks.repository.js';
import { WebhookDeliveriesRepository } from './webhook-deliveries.repository.js';

const LIST = 'failed-webhooks';

/** Deliveries that were given up, for administrators: whose they were and why, neither what they say nor where they led. */
@Injectable()
export class FailedWebhooksService implements DeadLetterSource, OnModuleInit {
  constructor(
    private readonly failed: FailedWebhooksRepository,
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly registry: DeadLetterRegistry,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.registry.register('webhooks', this);
  }

  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    const after = decodeCursor(LIST, cursor, CREATION_PARTS);
    return toPage(await this.failed.list(limit, after), limit, toDeadLetter, ({ finishedAt, id }) =>
      encodeCursor(LIST, [finishedAt.toISOString(), id]),
    );
  }

  /** It is sent under the same id, if its owner may still be told. */
  async replay(id: string): Promise<ReplayOutcome> {
    const found = isUuid(id) ? await this.failed.findLocked(id) : null;
    if (!found) {
      return 'gone';
    }
    if (!found.isReplayable) {
      return 'not_replayable';
    }
    await this.deliveries.replay(id);
    this.transactions.afterCommit(() => {
      this.signals.publish('webhooks_wait', {});
    });
    return 'replayed';
  }

  discard(id: string): Promise<boolean> {
    return isUuid(id) ? this.failed.discard(id) : Promise.resolve(false);
  }
}

function toDeadLetter({
  id,
  type,
  ownerId,
  lastStatus,
  lastError,
  attempts,
  finishedAt,
  ...one
}: FailedWebhook): DeadLetter {
  const codes = [lastError, lastStatus].filter((code) => code !== null);
  return {
    id,
    kind: type,
    recipient: ownerId,
    error: codes.length === 0 ? null : codes.join(' '),
    attempts,
    failedAt: finishedAt,
    isReplayable: one.isReplayable,
  };
}
