import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { Sweeper } from '../scheduling/sweeper.js';
import { JobQueue } from '../queue/job-queue.js';
import { SignalBus } from '../redis/signal-bus.js';
import { MailOutbox } from './mail-outbox.js';

const BATCH = 100;
const LOOK_EVERY_MS = 1_000;
const RETRY_WITHIN_MS = 30_000;

/**
 * Makes jobs of the mails that are due: new ones as soon as the hint arrives, postponed ones in their time, and those
 * whose job was lost with Redis. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class MailSweeper extends Sweeper {
  constructor(
    private readonly outbox: MailOutbox,
    private readonly queues: JobQueue,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    super(signals, loops, logger, {
      name: 'mails',
      wokenBy: 'mail_enqueued',
      whileFailing: 'Mails wait: no jobs could be made of them',
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
    });
  }

  protected async sweep(): Promise<StepOutcome> {
    const due = await this.outbox.claimDue(BATCH);
    for (const attempt of due) {
      await this.queues.add('send_mail', attempt, `${attempt.mailId}-${String(attempt.attempt)}`);
    }
    if (due.length > 0) {
      await this.outbox.queued(due.map(({ mailId }) => mailId));
    }
    return due.length === BATCH ? 'more' : 'idle';
  }
}
