import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { Sweeper } from '../../../platform/scheduling/sweeper.js';
import { WebhookAttemptsRepository } from './webhook-attempts.repository.js';
import { WebhookSettlementService } from './webhook-settlement.service.js';

/** Of the ten jobs that run at once, one receiver has two. */
const SLOTS = [1, 2] as const;
/** Looked at at once. */
const RECEIVERS = 200;
const ENDED_AT_ONCE = 1_000;
const LOOK_EVERY_MS = 500;
const RETRY_WITHIN_MS = 10_000;
const COUNT_EVERY_MS = 60_000;

/**
 * Makes jobs of what is due, by its receiver: new deliveries as soon as the hint arrives, those whose attempt failed in their time,
 * and those whose job was lost with Redis or whose worker died. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class WebhookSweeper extends Sweeper {
  #countAt = 0;

  constructor(
    private readonly attempts: WebhookAttemptsRepository,
    private readonly settlement: WebhookSettlementService,
    private readonly queues: JobQueue,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    super(signals, loops, logger, {
      name: 'webhooks',
      wokenBy: 'webhooks_wait',
      whileFailing: 'Webhooks wait: no jobs could be made of them',
      idleFromMs: LOOK_EVERY_MS,
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
    });
  }

  protected async sweep(): Promise<StepOutcome> {
    const hasMore = await this.settlement.letGo();
    const ended = await this.attempts.failOfDisabled(ENDED_AT_ONCE);
    await this.addJobs();
    await this.disableOverfull();
    return hasMore || ended === ENDED_AT_ONCE ? 'more' : 'idle';
  }

  private async addJobs(): Promise<void> {
    let page: string[] = [];
    do {
      page = await this.attempts.dueReceivers(RECEIVERS, page.at(-1) ?? '');
      await Promise.all(page.flatMap((receiver) => SLOTS.map((slot) => this.addJob(receiver, slot))));
    } while (page.length === RECEIVERS);
  }

  private addJob(receiver: string, slot: number): Promise<void> {
    return this.queues.add('send_webhooks', { receiver }, `${digestOf(receiver)}-${String(slot)}`);
  }

  private async disableOverfull(): Promise<void> {
    if (performance.now() >= this.#countAt) {
      this.#countAt = performance.now() + COUNT_EVERY_MS;
      await this.settlement.disableOverfull();
    }
  }
}

/** An id must not have a colon. While a job of the id waits or runs, no other one is added. */
function digestOf(receiver: string): string {
  return createHash('sha256').update(receiver).digest('base64url');
}
