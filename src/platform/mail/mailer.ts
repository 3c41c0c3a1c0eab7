import { Injectable } from '@nestjs/common';
import type { NewMail } from '../../contracts/mail.js';
import { Transactions } from '../prisma/transaction.js';
import { Signals } from '../redis/signals.js';
import { MailOutbox } from './mail-outbox.js';

/**
 * Mail as part of a change: it is sent exactly when the surrounding transaction commits, by the worker, soon after.
 * What it says is sealed at rest, because it may hold a one-time token, and forgotten once it is sent.
 */
@Injectable()
export class Mailer {
  constructor(
    private readonly outbox: MailOutbox,
    private readonly transactions: Transactions,
    private readonly signals: Signals,
  ) {}

  async enqueue(mail: NewMail): Promise<void> {
    await this.outbox.add(mail, 'PENDING');
    this.hint();
  }

  /**
   * Does the same work and sends nothing: for answers that must not tell, by their time either, whether there is
   * anybody to write to.
   */
  async pretend(mail: NewMail): Promise<void> {
    await this.outbox.add(mail, 'SENT');
    this.hint();
  }

  private hint(): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('mail_enqueued', {});
    });
  }
}
