import { Injectable } from '@nestjs/common';
import { type Counter, type Histogram, Metrics } from '../../../platform/metrics/metrics.js';
import { DELIVERY_FAILURES, type DeliveryFailure } from '../webhooks.types.js';
import { WebhookAttemptsRepository } from './webhook-attempts.repository.js';

/** From the event to its end: a moment, or three days. */
const AGES_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 21_600, 86_400, 259_200];

/** How sending goes. An edge of the worker role. */
@Injectable()
export class WebhookMetrics {
  readonly #attempts: Counter<'outcome'>;
  readonly #givenUp: Counter;
  readonly #ages: Histogram;

  constructor(attempts: WebhookAttemptsRepository, metrics: Metrics) {
    this.#attempts = metrics.counter(
      'mortise_webhook_attempts_total',
      'Attempts to send a webhook, by outcome: `delivered`, or why it was not taken',
      ['outcome'],
    );
    ['delivered', ...DELIVERY_FAILURES].forEach((outcome) => {
      this.#attempts.inc({ outcome }, 0);
    });
    this.#givenUp = metrics.counter('mortise_webhooks_given_up_total', 'Webhooks that no further attempt is made for');
    this.#ages = metrics.latency(
      'mortise_webhook_delivery_seconds',
      'Time from an event to its delivery to an endpoint',
      [],
      AGES_S,
    );
    metrics.measured(
      () => attempts.backlog(),
      [
        {
          name: 'mortise_webhooks_open',
          help: 'Webhooks that wait to be sent',
          samples: ({ waiting }) => [[waiting]],
        },
        {
          name: 'mortise_webhook_oldest_seconds',
          help: 'Age of the oldest webhook that waits to be sent; 0 when there is none',
          samples: ({ oldestS }) => [[oldestS]],
        },
      ],
    );
  }

  /** @param ageS seconds since the event; null: another attempt delivered it */
  delivered(ageS: number | null): void {
    this.#attempts.inc({ outcome: 'delivered' });
    if (ageS !== null) {
      this.#ages.observe(ageS);
    }
  }

  failed(outcome: DeliveryFailure, isLast: boolean): void {
    this.#attempts.inc({ outcome });
    if (isLast) {
      this.#givenUp.inc();
    }
  }
}
