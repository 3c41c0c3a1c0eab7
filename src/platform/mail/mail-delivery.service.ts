import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { NewMail, PendingMail } from '../../contracts/mail.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { JobRegistry } from '../queue/job-registry.js';
import { type MailAttempt, MailOutbox } from './mail-outbox.js';
import { MailRefusedError, MailTransport } from './mail-transport.js';
import { MailRequestRegistry } from './mail-request-registry.js';

/** Spread over nine hours: the first repeat soon, the last ones rarely. Who replays a mail that was given up begins as many again. */
const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 15_000;
const LONGEST_DELAY_MS = 4 * 3_600_000;

declare module '../../contracts/jobs.js' {
  interface Jobs {
    /** Makes one attempt to send a mail. Attempts of one mail are numbered, and each is made once. */
    send_mail: MailAttempt;
  }
}

/** Makes the attempts to send mails. An edge of the worker role. */
@Injectable()
export class MailDeliveryService implements OnModuleInit {
  readonly #mails: Counter<'outcome'>;

  constructor(
    private readonly jobs: JobRegistry,
    private readonly outbox: MailOutbox,
    private readonly writers: MailRequestRegistry,
    private readonly transport: MailTransport,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(MailDeliveryService.name);
    this.#mails = metrics.counter('mortise_mails_total', 'Attempts to send a mail, by outcome', ['outcome']);
  }

  onModuleInit(): void {
    this.jobs.register('send_mail', { queue: 'mail', everyMs: null }, (attempt) => this.attempt(attempt));
  }

  private async attempt(asked: MailAttempt): Promise<void> {
    const begun = await this.outbox.beginAttempt(asked);
    if (!begun) {
      return;
    }
    const { pending, attempt } = begun;
    let mail: NewMail | null;
    try {
      mail = await this.written(pending, attempt);
      if (mail) {
        await this.transport.send(mail, attempt.mailId);
      }
    } catch (error) {
      await this.refused(attempt, error);
      return;
    }
    // A crash between the two lines sends it twice, under the same Message-ID; the other order would send it never.
    await this.outbox.sent(attempt);
    this.#mails.inc({ outcome: mail ? 'sent' : 'for_nobody' });
  }

  private async written(pending: PendingMail, { attempt }: MailAttempt): Promise<NewMail | null> {
    if ('request' in pending) {
      return this.writers.write(pending, attempt);
    }
    return 'instead' in pending ? null : pending;
  }

  private async refused(attempt: MailAttempt, error: unknown): Promise<void> {
    const reason = error instanceof MailRefusedError ? error.message : 'internal';
    const hopeless = error instanceof MailRefusedError && error.permanent;
    if (hopeless || attempt.attempt % MAX_ATTEMPTS === 0) {
      await this.outbox.giveUp(attempt, reason);
      this.#mails.inc({ outcome: 'failed' });
      this.logger.error({ mailId: attempt.mailId, attempts: attempt.attempt, reason }, 'A mail was given up');
      return;
    }
    await this.outbox.postpone(attempt, delayAfter(attempt.attempt), reason);
    this.#mails.inc({ outcome: 'postponed' });
    this.logger.warn({ mailId: attempt.mailId, attempt: attempt.attempt, reason }, 'A mail was not taken; later again');
  }
}

function delayAfter(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 4 ** ((attempt - 1) % MAX_ATTEMPTS), LONGEST_DELAY_MS);
}
