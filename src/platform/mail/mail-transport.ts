import type { NewMail } from '../../contracts/mail.js';

/** How mail leaves the house. */
export abstract class MailTransport {
  /**
   * Hands one mail over.
   * @param mailId the same at every attempt: recipients' servers drop what they have seen.
   * @throws MailRefusedError when it was not taken
   */
  abstract send(mail: NewMail, mailId: string): Promise<void>;
}

/** The mail was not taken. Its message names codes only, never what a server answered: that may repeat the mail. */
export class MailRefusedError extends Error {
  /** @param permanent the recipient is refused for good: another attempt would end alike. */
  constructor(
    reason: string,
    readonly permanent: boolean,
    options?: ErrorOptions,
  ) {
    super(reason, options);
    this.name = 'MailRefusedError';
  }
}
