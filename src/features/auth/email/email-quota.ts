import { Injectable } from '@nestjs/common';
import { sha256 } from '../../../platform/crypto/digest.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import type { MailRequest, NewMail } from '../../../contracts/mail.js';
import { LoginWindowsRepository } from '../login/login-windows.repository.js';

const MAILS_PER_HOUR = 5;

/** Bounds the mail that strangers can cause to other people: five in an hour for each identifier. */
@Injectable()
export class EmailQuota {
  constructor(
    private readonly mailer: Mailer,
    private readonly windows: LoginWindowsRepository,
  ) {}

  /**
   * Counts a request for mail, in the surrounding transaction if there is one.
   * @param name the identifier, folded.
   * @returns whether it may still get mail in this hour.
   */
  async consume(name: string): Promise<boolean> {
    return (await this.windows.countMail(sha256(`name:${name}`).toString('hex'))) <= MAILS_PER_HOUR;
  }

  /** Enqueues a mail whose recipient is looked up later: see {@link Mailer.request}. */
  request(mail: MailRequest): Promise<void> {
    return this.mailer.request(mail);
  }

  /** Sends it, or does the same work without sending it, so that the time of an answer does not tell which. */
  send(mail: NewMail, { really }: { really: boolean }): Promise<void> {
    return really ? this.mailer.enqueue(mail) : this.mailer.pretend(mail);
  }
}
