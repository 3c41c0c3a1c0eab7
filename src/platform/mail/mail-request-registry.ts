import { Injectable } from '@nestjs/common';
import type { MailRequest, MailRequestName, MailRequests, NewMail } from '../../contracts/mail.js';

/** Finds out whom a requested mail is for, and what it says. @returns null when it is for nobody. */
export type MailWriter<N extends MailRequestName> = (details: MailRequests[N]) => Promise<NewMail | null>;

/** Who writes each mail that is only requested at first. Features register at `onModuleInit`. */
@Injectable()
export class MailRequestRegistry {
  readonly #writers = new Map<MailRequestName, MailWriter<MailRequestName>>();

  register<N extends MailRequestName>(name: N, writer: MailWriter<N>): void {
    this.#writers.set(name, writer as MailWriter<MailRequestName>);
  }

  /** @throws for a name that nobody knows: a newer release may share the table while it is rolled out. */
  write({ request, details }: MailRequest): Promise<NewMail | null> {
    const writer = this.#writers.get(request);
    if (!writer) {
      throw new Error(`Nobody writes the mail "${request}".`);
    }
    return writer(details);
  }
}
