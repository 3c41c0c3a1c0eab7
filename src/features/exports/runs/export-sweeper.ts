import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { ExportRunsRepository } from './export-runs.repository.js';

const BATCH = 100;
const LOOK_EVERY_MS = 2_000;
const RETRY_WITHIN_MS = 10_000;

/**
 * Makes jobs of the exports that are due: new ones as soon as the hint arrives, those whose attempt failed in their time, and
 * those whose job was lost with Redis or whose worker died. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class ExportSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly queues: JobQueue,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(ExportSweeper.name);
    this.#loop = loops.create('exports', () => this.sweep(), {
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
      onError: (error, failures) => {
        if (failures === 1) {
          logger.warn({ err: error }, 'Exports wait: no jobs could be made of them');
        }
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('export_waits', () => {
      this.#loop.wake();
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
  }

  private async sweep(): Promise<StepOutcome> {
    const due = await this.runs.claimDue(BATCH);
    for (const attempt of due) {
      await this.queues.add('make_export', attempt, `${attempt.exportId}-${String(attempt.attempt)}`);
    }
    return due.length === BATCH ? 'more' : 'idle';
  }
}
