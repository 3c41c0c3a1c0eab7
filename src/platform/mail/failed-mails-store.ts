import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { PendingMail } from '../../contracts/mail.js';
import { Transactions } from '../prisma/transactions.js';
import {
  type DeadLetter,
  DeadLetterRegistry,
  type DeadLetterSource,
  type ReplayOutcome,
} from '../queue/dead-letter-registry.js';
import { SignalBus } from '../redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { isUuid } from '../../shared/ids.js';
import { type Page, toPage } from '../../shared/paging.js';
import { type GivenUpMail, MailOutbox } from './mail-outbox.js';

const LIST = 'failed-mails';

/** Mails that were given up: who administers the installation sees for whom they were, not what they say. */
@Injectable()
export class FailedMailsStore implements DeadLetterSource, OnModuleInit {
  constructor(
    private readonly outbox: MailOutbox,
    private readonly registry: DeadLetterRegistry,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.registry.register('mail', this);
  }

  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    const after = decodeCursor(LIST, cursor, CREATION_PARTS);
    return toPage(await this.outbox.givenUp(limit, after), limit, toDeadLetter, ({ failedAt, id }) =>
      encodeCursor(LIST, [failedAt.toISOString(), id]),
    );
  }

  async replay(id: string): Promise<ReplayOutcome> {
    const outcome = isUuid(id) ? await this.outbox.sendAgain(id) : 'gone';
    if (outcome === 'replayed') {
      this.transactions.afterCommit(() => {
        this.signals.publish('mail_enqueued', {});
      });
    }
    return outcome;
  }

  discard(id: string): Promise<boolean> {
    return isUuid(id) ? this.outbox.discard(id) : Promise.resolve(false);
  }
}

function toDeadLetter({ id, pending, attempts, lastError, failedAt }: GivenUpMail): DeadLetter {
  return {
    id,
    kind: pending && kindOf(pending),
    recipient: pending && 'to' in pending ? masked(pending.to) : null,
    error: lastError,
    attempts,
    failedAt,
    isReplayable: pending !== null,
  };
}

function kindOf(pending: PendingMail): string {
  if ('request' in pending) {
    return pending.request;
  }
  return 'instead' in pending ? pending.instead.template : pending.template;
}

/** `a***@example.com`. */
function masked(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return `${first}***${address.slice(at)}`;
}
