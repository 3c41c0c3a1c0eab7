import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { DispatchScheduler } from './dispatch-scheduler.js';
import { DispatchRepository } from './dispatch.repository.js';
import { DispatchService } from './dispatch.service.js';

const INTERVAL_MS = 1_000;
const BATCH = 200;
/** Devices found by one sweep; the next one finds more. */
const MAX_DEVICES = 500;

/**
 * Finds within about a second what deadlines, lost signals and crashes have left to do, from the rows alone. Several
 * processes may sweep at once, and it needs no Redis.
 */
@Injectable()
export class CommandSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly dispatch: DispatchService,
    private readonly scheduler: DispatchScheduler,
    private readonly repository: DispatchRepository,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(CommandSweeper.name);
    this.#loop = loops.create('commands', () => this.sweep(), {
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

  /** Settles overdue commands, sends unanswered orders again, and schedules devices with waiting commands. */
  async sweep(): Promise<StepOutcome> {
    const moreOverdue = await this.dispatch.settleOverdue(BATCH);
    const { resendDue, deviceIds } = await this.repository.findWaiting(MAX_DEVICES, this.dispatch.links);
    const moreDue = resendDue && (await this.dispatch.resendDue(BATCH)) === BATCH;
    deviceIds.forEach((deviceId) => {
      this.scheduler.wake(deviceId);
    });
    return moreOverdue || moreDue ? 'more' : 'idle';
  }
}
