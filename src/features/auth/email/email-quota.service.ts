import { Injectable } from '@nestjs/common';
import type { NewMail } from '../../../contracts/mail.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { siteKey } from '../../../platform/http/client-address.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import type { Account } from '../../users/users.types.js';
import { EmailQuotaExceededError } from '../auth.errors.js';
import type { SecurityNotice } from '../auth.mail.js';
import { LoginWindowsRepository, type MailDecision } from '../login/login-windows.repository.js';

export interface MailOptions {
  /** Mails that others cause take nothing from those of an administrator, which still have a limit of their own. */
  readonly byAdministrator?: boolean;
  /** Mails that are asked for by the username of the mailbox have a count of their own: one of both would tell whose it is. */
  readonly byUsername?: boolean;
  /** Mails that are asked for on a device that is known to the account now have a limit of their own, which others cannot use up. */
  readonly onKnownDevice?: boolean;
  /** The IP address that asked, where the mail is written later than it was asked for. */
  readonly askedFrom?: string | null;
}

/**
 * Bounds the mail that one person can cause to the mailbox of another: in an hour of the clock 5 from each origin (a person who is
 * signed in, else the site of an IP address) and 10 in all; up to 30, one from each further origin, so that a few strangers
 * who ask over and over leave room for the owner. An account may have been made with the e-mail address of a stranger, so what
 * its person causes to it is bounded, too.
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

  /**
   * Tells the owner of an account what was done to it, unless that happens over and over. Each kind of notice has counts of
   * its own: the first in an hour is sent, whatever else was sent or asked for.
   */
  async notify({ email: to, displayName }: Addressee, notice: SecurityNotice): Promise<void> {
    const { admitted: really } = await this.count(`notice ${notice}:${to}`, originOfRequest());
    await this.send({ to, template: 'security_notice', values: { displayName, notice } }, { really });
  }

  private decide(mailbox: string, options: MailOptions): Promise<MailDecision> {
    const { byAdministrator = false, byUsername = false, onKnownDevice = false, askedFrom } = options;
    const asking = askedFrom === undefined ? originOfRequest() : addressOrigin(askedFrom);
    const origin = onKnownDevice ? 'known device' : asking;
    return this.count(`${byUsername ? 'by-username' : 'name'}:${mailbox}`, origin, byAdministrator || onKnownDevice);
  }

  /** @param isPrivileged only the limit of the origin holds. */
  private async count(counted: string, origin: string, isPrivileged = false): Promise<MailDecision> {
    if (origin === 'system') {
      return { admitted: true, retryAfter: 0 };
    }
    const subject = sha256(counted).toString('hex');
    const ofOrigin = sha256(`${counted} ${origin}`).toString('hex');
    return this.windows.countMail({ subject, ofOrigin, isPrivileged });
  }
}

type Addressee = Pick<Account, 'email' | 'displayName'>;

/** Who causes the mail: a person, or an address where none is signed in. What the system does by itself has no limit. */
function originOfRequest(): string {
  const { actor = 'system', address } = requestContext() ?? {};
  return actor === 'anonymous' ? addressOrigin(address) : actor;
}

/** Of its site: one customer with a network for each mail would use up what all strangers together have. */
function addressOrigin(address: string | null | undefined): string {
  return `address:${siteKey(address ?? 'unknown')}`;
}
