import { createHash } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { WebhookAttemptsRepository } from './webhook-attempts.repository.js';
import { WebhookSettlementService } from './webhook-settlement.service.js';

/** Of the ten jobs that run at once, one receiver has two. */
const SLOTS = 2;
const RECEIVERS = 200;
const ENDED_AT_ONCE = 1_000;
const LOOK_EVERY_MS = 500;
const RETRY_WITHIN_MS = 10_000;

/**
 * Makes jobs of what is due, by its receiver: new deliveries as soon as the hint arrives, those whose attempt failed in their time,
 * and those whose job was lost with Redis or whose worker died. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class WebhookSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly attempts: WebhookAttemptsRepository,
    private readonly settlement: WebhookSettlementService,
    private readonly queues: JobQueue,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(WebhookSweeper.name);
    this.#loop = loops.create('webhooks', () => this.sweep(), {
      idleFromMs: LOOK_EVERY_MS,
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
      onError: (error, failures) => {
        if (failures === 1) {
          logger.warn({ err: error }, 'Webhooks wait: no jobs could be made of them');
        }
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('webhooks_wait', () => {
      this.#loop.wake();
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
  }

  private async sweep(): Promise<StepOutcome> {
    const hasMore = await this.settlement.letGo();
    const ended = await this.attempts.failOfDisabled(ENDED_AT_ONCE);
    for (const receiver of await this.attempts.dueReceivers(RECEIVERS)) {
      for (let slot = 1; slot <= SLOTS; slot += 1) {
        await this.queues.add('send_webhooks', { receiver }, `${digestOf(receiver)}-${String(slot)}`);
      }
    }
    return hasMore || ended === ENDED_AT_ONCE ? 'more' : 'idle';
  }
}

/** An id must not have a colon. While a job of the id waits or runs, no other one is added. */
function digestOf(receiver: string): string {
  return createHash('sha256').update(receiver).digest('base64url');
}
