import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { Sweeper } from '../../../platform/scheduling/sweeper.js';
import { ExportRunsRepository } from './export-runs.repository.js';

const BATCH = 100;
const LOOK_EVERY_MS = 2_000;
const RETRY_WITHIN_MS = 10_000;

/**
 * Makes jobs of the exports that are due: new ones as soon as the hint arrives, those whose attempt failed in their time, and
 * those whose job was lost with Redis or whose worker died. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class ExportSweeper extends Sweeper {
  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly queues: JobQueue,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    super(signals, loops, logger, {
      name: 'exports',
      wokenBy: 'export_waits',
      whileFailing: 'Exports wait: no jobs could be made of them',
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
    });
  }

  protected async sweep(): Promise<StepOutcome> {
    const due = await this.runs.claimDue(BATCH);
    for (const attempt of due) {
      await this.queues.add('make_export', attempt, `${attempt.exportId}-${String(attempt.attempt)}`);
    }
    return due.length === BATCH ? 'more' : 'idle';
  }
}
