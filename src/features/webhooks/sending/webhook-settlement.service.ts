import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { type AttemptOutcome, type BegunAttempt, WebhookAttemptsRepository } from './webhook-attempts.repository.js';
import { WebhookDisablingService } from './webhook-disabling.service.js';
import { WebhookMetrics } from './webhook-metrics.js';
import { delayAfter, FAILING_LIMIT_MS, HELD_BACK_MS, pauseAfter } from './webhook-schedule.js';

const LET_GO_AT_ONCE = 100;
/** For one endpoint. */
const MOST_WAITING = 100_000;

/** What follows from an attempt: for its delivery, for those of its device that wait behind it, and for its endpoint. */
@Injectable()
export class WebhookSettlementService {
  constructor(
    private readonly attempts: WebhookAttemptsRepository,
    private readonly disabling: WebhookDisablingService,
    private readonly transactions: Transactions,
    private readonly metrics: WebhookMetrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(WebhookSettlementService.name);
  }

  async deliver(attempt: BegunAttempt, outcome: AttemptOutcome): Promise<void> {
    const ageS = await this.transactions.run(async () => {
      await this.attempts.endpointRecovered(attempt.endpointId);
      await this.attempts.lockOrder(attempt);
      const age = await this.attempts.delivered(attempt, outcome);
      await this.attempts.promote(attempt);
      return age;
    });
    this.metrics.delivered(ageS);
  }

  /** @param wishMs what the receiver asked for; `isGone`: it wants nothing any more */
  async postpone(
    attempt: BegunAttempt,
    outcome: AttemptOutcome,
    { wishMs, isGone }: { readonly wishMs: number | null; readonly isGone: boolean },
  ): Promise<void> {
    const delayMs = delayAfter(attempt.failures + 1, wishMs, Math.random());
    await this.transactions.run(async () => {
      await this.noteFailure(attempt, isGone);
      await this.end(attempt, outcome, isGone ? null : delayMs);
    });
    this.metrics.failed(outcome.error ?? 'internal', delayMs === null);
    this.logger.debug(
      { webhookId: attempt.endpointId, deliveryId: attempt.id, attempt: attempt.attempt, ...outcome },
      'A webhook was not taken',
    );
  }

  /** Its owner may not be told any more: nothing is sent. */
  async refuse(attempt: BegunAttempt): Promise<void> {
    await this.transactions.run(() => this.end(attempt, { status: null, error: 'not_permitted', durationMs: 0 }, null));
    this.metrics.failed('not_permitted', true);
  }

  /** Lets go what waits behind deliveries that fail for long. @returns whether there may be more */
  async letGo(): Promise<boolean> {
    const holding = await this.attempts.holdingFor(HELD_BACK_MS, LET_GO_AT_ONCE);
    for (const delivery of holding) {
      await this.transactions.run(async () => {
        await this.attempts.lockOrder(delivery);
        await this.attempts.letGo(delivery);
        await this.attempts.promote(delivery);
      });
    }
    return holding.length === LET_GO_AT_ONCE;
  }

  /** Disables endpoints that are behind by more than three days' retries are worth: they would fill the disk of all. */
  async disableOverfull(): Promise<void> {
    for (const id of await this.attempts.overfull(MOST_WAITING)) {
      await this.transactions.run(() => this.disabling.disable(id, 'overfull'));
    }
  }

  /** First, before the order is locked: so does who deletes an endpoint. */
  private async noteFailure({ endpointId }: BegunAttempt, isGone: boolean): Promise<void> {
    const { failures, failingMs } = await this.attempts.endpointFailing(endpointId);
    if (isGone || failingMs >= FAILING_LIMIT_MS) {
      await this.disabling.disable(endpointId, isGone ? 'gone' : 'failing');
      return;
    }
    const pauseMs = pauseAfter(failures);
    if (pauseMs > 0) {
      await this.attempts.pauseEndpoint(endpointId, pauseMs);
    }
  }

  /** @param delayMs until the next attempt; null: there is none */
  private async end(attempt: BegunAttempt, outcome: AttemptOutcome, delayMs: number | null): Promise<void> {
    await this.attempts.lockOrder(attempt);
    if (delayMs !== null) {
      await this.attempts.postponed(attempt, outcome, delayMs);
      return;
    }
    await this.attempts.failed(attempt, outcome);
    await this.attempts.promote(attempt);
  }
}
