import { Injectable } from '@nestjs/common';
import type { MailRequest, MailRequestName, MailRequests, NewMail } from '../../contracts/mail.js';

/**
 * Finds the recipient of a requested mail and its content, anew for each attempt to send it.
 * @param attempt from 1; what counts mails counts the first one.
 * @returns null when there is no recipient.
 */
export type MailWriter<N extends MailRequestName> = (
  details: MailRequests[N],
  attempt: number,
) => Promise<NewMail | null>;

/** Writers of mails that are only requested at first. Features register at `onModuleInit`. */
@Injectable()
export class MailRequestRegistry {
  readonly #writers = new Map<MailRequestName, MailWriter<MailRequestName>>();

  register<N extends MailRequestName>(name: N, writer: MailWriter<N>): void {
    this.#writers.set(name, writer as MailWriter<MailRequestName>);
  }

  /** @throws for an unknown name: a newer release may share the table while it is rolled out. */
  write({ request, details }: MailRequest, attempt: number): Promise<NewMail | null> {
    const writer = this.#writers.get(request);
    if (!writer) {
      throw new Error(`No writer for the mail "${request}".`);
    }
    return writer(details, attempt);
  }
}
