import { Injectable } from '@nestjs/common';
import type { MailRequest, NewMail, PendingMail } from '../../contracts/mail.js';
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

  enqueue(mail: NewMail): Promise<void> {
    return this.add(mail);
  }

  /** For an answer that must not depend on whom the mail is for, or on whether it is for anybody: see {@link MailRequestRegistry}. */
  request(request: MailRequest): Promise<void> {
    return this.add(request);
  }

  /**
   * Does the same work and sends nothing: for answers that must not tell, by their time either, whether there is
   * anybody to write to. The worker takes it up like any other, because it may run in the same process.
   */
  pretend(mail: NewMail): Promise<void> {
    return this.add({ instead: mail });
  }

  private async add(mail: PendingMail): Promise<void> {
    await this.outbox.add(mail);
    this.transactions.afterCommit(() => {
      this.signals.publish('mail_enqueued', {});
    });
  }
}
