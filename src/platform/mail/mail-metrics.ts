import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { MailOutbox } from './mail-outbox.js';

/** How many mails wait to be sent, and for how long. Each worker says the same; an edge of that role. */
@Injectable()
export class MailMetrics {
  constructor(outbox: MailOutbox, metrics: Metrics) {
    metrics.measured(
      () => outbox.backlog(),
      [
        {
          name: 'mortise_mails_waiting',
          help: 'Mails that are not sent yet, those that are tried again included',
          samples: ({ waiting }) => [[waiting]],
        },
        {
          name: 'mortise_mail_oldest_seconds',
          help: 'Age of the oldest mail that is not sent yet; 0 when none waits',
          samples: ({ oldestS }) => [[oldestS]],
        },
      ],
    );
  }
}
