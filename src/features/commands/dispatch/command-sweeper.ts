import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { DispatchScheduler } from './dispatch-scheduler.js';
import { DispatchRepository } from './dispatch.repository.js';
import { DispatchService } from './dispatch.service.js';
import { CommandTimeoutService } from './command-timeout.service.js';

const INTERVAL_MS = 1_000;
const BATCH = 200;
/** Devices found by one sweep; the next one finds more. */
const MAX_DEVICES = 500;

/**
 * Time passes, hints get lost, processes die: whatever nobody else brings on, this does within about a second, from
 * the rows alone. Several processes may sweep at once, and it needs no Redis.
 */
@Injectable()
export class CommandSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly overdue: CommandTimeoutService,
    private readonly sender: DispatchService,
    private readonly dispatcher: DispatchScheduler,
    private readonly repository: DispatchRepository,
    logger: PinoLogger,
  ) {
    logger.setContext(CommandSweeper.name);
    this.#loop = new BackgroundLoop(() => this.sweep(), {
      idleMs: INTERVAL_MS,
      retryMs: INTERVAL_MS,
      onError: (error) => {
        logger.error({ err: error }, 'Sweeping commands failed');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  /** Settles what is overdue, sends again what is unanswered, wakes what waits. */
  async sweep(): Promise<StepOutcome> {
    const moreOverdue = await this.overdue.settle(BATCH);
    const { resendDue, deviceIds } = await this.repository.findWaiting(MAX_DEVICES);
    const moreDue = resendDue && (await this.sender.resendDue(BATCH)) === BATCH;
    deviceIds.forEach((deviceId) => {
      this.dispatcher.wake(deviceId);
    });
    return moreOverdue || moreDue ? 'more' : 'idle';
  }
}
