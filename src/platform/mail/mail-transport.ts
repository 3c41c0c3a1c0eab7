import type { NewMail } from '../../contracts/mail.js';

/** Sends mail. */
export abstract class MailTransport {
  /**
   * Sends one mail.
   * @param mailId the same at every attempt: recipients' servers drop what they have seen.
   * @throws MailRefusedError when it was not taken
   */
  abstract send(mail: NewMail, mailId: string): Promise<void>;
}

/** The mail was not taken. Its message names codes only, never what a server answered: that may repeat the mail. */
export class MailRefusedError extends Error {
  /** @param permanent another attempt would be refused as well. */
  constructor(
    reason: string,
    readonly permanent: boolean,
    options?: ErrorOptions,
  ) {
    super(reason, options);
    this.name = 'MailRefusedError';
  }
}
