import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { Sweeper } from '../../../platform/scheduling/sweeper.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { MessageAttemptsRepository } from './message-attempts.repository.js';

/** Of the jobs that run at once, a channel has two for what is urgent, and two for the rest: one that hangs leaves room for others. */
const SLOTS = 2;
const LOOK_EVERY_MS = 500;
const RETRY_WITHIN_MS = 10_000;

/**
 * Makes jobs of what is due, by its channel: new messages as soon as the hint arrives, digests and failed attempts in their time, and
 * those whose job was lost with Redis or whose worker died. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class NotificationSweeper extends Sweeper {
  constructor(
    private readonly attempts: MessageAttemptsRepository,
    private readonly channels: NotificationChannelRegistry,
    private readonly queues: JobQueue,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    super(signals, loops, logger, {
      name: 'notifications',
      wokenBy: 'notifications_wait',
      whileFailing: 'Notifications wait: no jobs could be made of them',
      idleFromMs: LOOK_EVERY_MS,
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
    });
  }

  protected async sweep(): Promise<StepOutcome> {
    for (const line of await this.attempts.dueLines(this.channels.names())) {
      for (let slot = 1; slot <= SLOTS; slot += 1) {
        const id = `${line.channel}-${line.isUrgent ? 'urgent' : 'other'}-${String(slot)}`;
        await this.queues.add('send_notifications', line, id, line.isUrgent);
      }
    }
    return 'idle';
  }
}
