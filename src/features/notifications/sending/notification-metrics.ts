import { Injectable } from '@nestjs/common';
import { type Counter, type Histogram, Metrics } from '../../../platform/metrics/metrics.js';
import type { NotificationChannelName, NotificationKind } from '../notifications.types.js';
import { MessageAttemptsRepository } from './message-attempts.repository.js';

/** From a moment to quiet hours, and a day of attempts. */
const AGES_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 43_200, 86_400];

/** How sending goes. An edge of the worker role. */
@Injectable()
export class NotificationMetrics {
  readonly #notifications: Counter<'kind' | 'channel' | 'outcome'>;
  readonly #ages: Histogram;

  constructor(attempts: MessageAttemptsRepository, metrics: Metrics) {
    this.#notifications = metrics.counter(
      'mortise_notifications_total',
      'Notifications over channels, by what became of them: `sent`, `postponed`, `suppressed` or `failed`',
      ['kind', 'channel', 'outcome'],
    );
    this.#ages = metrics.latency(
      'mortise_notification_delivery_seconds',
      'Time from the first event that a message tells of until its provider took it',
      [],
      AGES_S,
    );
    metrics.measured(
      () => attempts.backlog(),
      [
        {
          name: 'mortise_notifications_open',
          help: 'Messages whose time has come, and that are not sent, those that are tried again included',
          samples: ({ waiting }) => [[waiting]],
        },
        {
          name: 'mortise_notification_oldest_seconds',
          help: 'For how long the time of the oldest of these has come; 0 when there is none',
          samples: ({ oldestS }) => [[oldestS]],
        },
      ],
    );
  }

  count(
    kind: NotificationKind,
    channel: NotificationChannelName,
    outcome: 'sent' | 'postponed' | 'suppressed' | 'failed',
  ): void {
    this.#notifications.inc({ kind, channel, outcome });
  }

  /** @param ageS seconds since the first of what it tells of happened */
  sent(ageS: number): void {
    this.#ages.observe(ageS);
  }
}
