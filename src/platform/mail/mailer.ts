import { Injectable } from '@nestjs/common';
import type { MailRequest, NewMail, PendingMail } from '../../contracts/mail.js';
import { Transactions } from '../prisma/transactions.js';
import { SignalBus } from '../redis/signal-bus.js';
import { MailOutbox } from './mail-outbox.js';

/**
 * Mail as part of a change: it is sent exactly when the surrounding transaction commits, by the worker, soon after.
 * Its content is encrypted at rest, because it may hold a one-time token, and deleted once it is sent, or two weeks after it was given up.
 */
@Injectable()
export class Mailer {
  constructor(
    private readonly outbox: MailOutbox,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  enqueue(mail: NewMail): Promise<void> {
    return this.add(mail);
  }

  /**
   * The recipient is found out later, so that the answer cannot depend on whether there is one: see {@link
   * MailRequestRegistry}.
   * @param afterMs how much later at least
   */
  request(request: MailRequest, afterMs = 0): Promise<void> {
    return this.add(request, afterMs);
  }

  /**
   * Does the same work and sends nothing: neither the answer nor its time may tell whether there is a recipient. The
   * worker takes it up like any other, because it may run in the same process.
   */
  pretend(mail: NewMail): Promise<void> {
    return this.add({ instead: mail });
  }

  private async add(mail: PendingMail, afterMs = 0): Promise<void> {
    await this.outbox.add(mail, afterMs);
    if (afterMs > 0) {
      return;
    }
    this.transactions.afterCommit(() => {
      this.signals.publish('mail_enqueued', {});
    });
  }
}
