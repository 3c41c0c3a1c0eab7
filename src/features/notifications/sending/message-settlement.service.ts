import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { retryDelayMs } from '../domain/retry-schedule.js';
import type { SendOutcome } from '../channels/notification-transport.js';
import { MessageAttemptsRepository, type MessageItem, type Settlement } from './message-attempts.repository.js';
import type { JudgedMessage } from './message-judge.service.js';
import { NotificationMetrics } from './notification-metrics.js';

/** What follows from attempts, for all of a batch with one statement. */
@Injectable()
export class MessageSettlementService {
  constructor(
    private readonly attempts: MessageAttemptsRepository,
    private readonly metrics: NotificationMetrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(MessageSettlementService.name);
  }

  /** What the channel was given. */
  async settle(attempted: readonly { readonly judged: JudgedMessage; readonly outcome: SendOutcome }[]): Promise<void> {
    await this.write(
      attempted.map(({ judged, outcome }) => ({ judged, settlement: settlementOf(judged, outcome, Math.random()) })),
    );
  }

  /** What was not sent: there is nothing left to say, or the person wants to be left alone for now. */
  async settleUnsent(judged: readonly JudgedMessage[]): Promise<void> {
    await this.write(judged.map((one) => ({ judged: one, settlement: unsentSettlementOf(one) })));
  }

  private async write(
    settled: readonly { readonly judged: JudgedMessage; readonly settlement: Settlement }[],
  ): Promise<void> {
    if (settled.length === 0) {
      return;
    }
    const leftOut = settled.flatMap(({ judged: { attempt, leftOut: items } }) =>
      items.map(({ item, reason }) => ({ messageId: attempt.id, notificationId: item.id, reason })),
    );
    if (leftOut.length > 0) {
      // First: what is left out stays so, also when this is as far as it gets.
      await this.attempts.leaveOut(leftOut);
    }
    const own = new Map(
      (await this.attempts.settle(settled.map(({ settlement }) => settlement))).map((one) => [one.id, one]),
    );
    for (const { judged, settlement } of settled) {
      const one = own.get(settlement.id);
      if (one) {
        this.count(judged, settlement, one.settledMs);
      }
    }
  }

  private count({ attempt, items, leftOut }: JudgedMessage, settlement: Settlement, settledMs: number): void {
    const { channel, id } = attempt;
    const outcome = outcomeOf(settlement);
    leftOut.forEach(({ item }) => {
      this.metrics.count(item.kind, channel, 'suppressed');
    });
    items.forEach(({ kind }: MessageItem) => {
      this.metrics.count(kind, channel, outcome);
    });
    if (outcome === 'sent') {
      const happenedMs = Math.min(...items.map(({ occurredAt }) => Date.parse(occurredAt)));
      // The clock of a device may be ahead.
      this.metrics.sent(Math.max(0, settledMs - happenedMs) / 1_000);
    }
    if (outcome === 'failed') {
      this.logger.warn({ messageId: id, channel, reason: settlement.error }, 'A notification was given up');
    }
  }
}

function settlementOf(judged: JudgedMessage, outcome: SendOutcome, random: number): Settlement {
  const { id, attempt, failures } = judged.attempt;
  const base = { id, attempt, reason: null, providerId: null, error: null, delayMs: null };
  if (outcome.sent) {
    return { ...base, state: 'SENT', providerId: outcome.providerId };
  }
  if (outcome.hasNoAddress === true) {
    return { ...base, state: 'SUPPRESSED', reason: 'no_address' };
  }
  if (outcome.isOverBudget === true) {
    return { ...base, state: 'SUPPRESSED', reason: 'over_budget' };
  }
  const delayMs = outcome.isPermanent ? null : retryDelayMs(failures + 1, outcome.retryAfterMs, random);
  return { ...base, state: delayMs === null ? 'FAILED' : 'PENDING', error: outcome.reason, delayMs };
}

function unsentSettlementOf({ attempt: { id, attempt }, items, leftOut, quietForMs }: JudgedMessage): Settlement {
  const base = { id, attempt, providerId: null, error: null };
  return items.length === 0
    ? { ...base, state: 'SUPPRESSED', reason: leftOut[0]?.reason ?? 'not_permitted', delayMs: null }
    : { ...base, state: 'PENDING', reason: null, delayMs: quietForMs };
}

function outcomeOf({ state, error }: Settlement): 'sent' | 'suppressed' | 'failed' | 'postponed' {
  if (state === 'PENDING') {
    return 'postponed';
  }
  if (state === 'SUPPRESSED') {
    return 'suppressed';
  }
  return error === null ? 'sent' : 'failed';
}
