import { Injectable } from '@nestjs/common';
import type { NewMail } from '../../../contracts/mail.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { networkKey } from '../../../platform/http/client-address.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { EmailQuotaExceededError } from '../auth.errors.js';
import { LoginWindowsRepository, type MailDecision } from '../login/login-windows.repository.js';

export interface MailOptions {
  /** Mails that others cause take nothing from those of an administrator, which still have a limit of their own. */
  readonly byAdministrator?: boolean;
  /** Mails that are asked for by the username of the mailbox have a count of their own: one of both would tell whose it is. */
  readonly byUsername?: boolean;
  /** The IP address that asked, where the mail is written later than it was asked for. */
  readonly askedFrom?: string | null;
}

/**
 * Bounds the mail that one person can cause to the mailbox of another: in an hour 5 from each origin (a person who is
 * signed in, else an IP address) and 10 in all; up to 30, one from each further origin, so that a few strangers who ask
 * over and over leave room for the owner.
 */
@Injectable()
export class EmailQuotaService {
  constructor(
    private readonly mailer: Mailer,
    private readonly windows: LoginWindowsRepository,
  ) {}

  /**
   * Counts a mail, in the surrounding transaction if there is one.
   * @param mailbox the e-mail address, or the name that stands for it, folded.
   * @returns whether it may still be sent.
   */
  async consume(mailbox: string, options: MailOptions = {}): Promise<boolean> {
    return (await this.decide(mailbox, options)).admitted;
  }

  /**
   * As {@link consume}, for a mail that a signed-in person asks for. It tells nothing of the mailbox's owner.
   * @throws EmailQuotaExceededError
   */
  async require(mailbox: string, options: MailOptions = {}): Promise<void> {
    const { admitted, retryAfter } = await this.decide(mailbox, options);
    if (!admitted) {
      throw new EmailQuotaExceededError(retryAfter);
    }
  }

  /** Sends it, or does the same work without sending it, so that the time of an answer does not tell which. */
  send(mail: NewMail, { really }: { really: boolean }): Promise<void> {
    return really ? this.mailer.enqueue(mail) : this.mailer.pretend(mail);
  }

  private async decide(mailbox: string, options: MailOptions): Promise<MailDecision> {
    const { byAdministrator = false, byUsername = false, askedFrom } = options;
    const origin = askedFrom === undefined ? originOfRequest() : `address:${networkKey(askedFrom ?? 'unknown')}`;
    if (origin === 'system') {
      return { admitted: true, retryAfter: 0 };
    }
    const counted = `${byUsername ? 'by-username' : 'name'}:${mailbox}`;
    const subject = sha256(counted).toString('hex');
    const ofOrigin = sha256(`${counted} ${origin}`).toString('hex');
    return this.windows.countMail({ subject, ofOrigin, isPrivileged: byAdministrator });
  }
}

/** Who causes the mail: a person, or an address where none is signed in. What the system does by itself has no limit. */
function originOfRequest(): string {
  const { actor = 'system', address } = requestContext() ?? {};
  return actor === 'anonymous' ? `address:${networkKey(address ?? 'unknown')}` : actor;
}
