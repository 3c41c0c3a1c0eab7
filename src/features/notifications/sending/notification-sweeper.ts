import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { JobQueue } from '../../../platform/queue/job-queue.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { Sweeper } from '../../../platform/scheduling/sweeper.js';
import { MESSAGE_CHANNELS } from '../notifications.types.js';
import { type LaneState, MessageAttemptsRepository } from './message-attempts.repository.js';

/** Of the jobs that run at once, a channel has two for what is urgent, and two for the rest: one that hangs leaves room for others. */
const SLOTS = ['1', '2'] as const;
/** Both may be those of a worker that is gone, and free again only after seconds: what it had under way has one of its own. */
const TAKE_OVER = 'lost';
const LOOK_EVERY_MS = 500;
const SHORTEST_PAUSE_MS = 20;
const RETRY_WITHIN_MS = 10_000;

/**
 * Makes jobs of what is due, by its channel: new messages as soon as the hint arrives, digests and failed attempts in their time, and
 * those whose job was lost with Redis or whose worker died as soon as their leases are over. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class NotificationSweeper extends Sweeper {
  constructor(
    private readonly attempts: MessageAttemptsRepository,
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
    // Also of what is not set up any more: it fails in the end, and does not wait for ever.
    const lanes = await this.attempts.lanes(MESSAGE_CHANNELS);
    await Promise.all(lanes.filter(({ isDue }) => isDue).flatMap((lane) => this.addJobs(lane)));
    const soon = lanes.flatMap(({ nextInMs }) => (nextInMs !== null && nextInMs < LOOK_EVERY_MS ? [nextInMs] : []));
    if (soon.length > 0) {
      this.lookAgainIn(Math.max(SHORTEST_PAUSE_MS, Math.min(...soon) + 1));
    }
    return 'idle';
  }

  private addJobs({ channel, isUrgent, isLost }: LaneState): Promise<void>[] {
    const add = (place: string, takesOver: boolean): Promise<void> =>
      this.queues.add(
        'send_notifications',
        { channel, isUrgent, takesOver },
        `${channel}-${isUrgent ? 'urgent' : 'other'}-${place}`,
        isUrgent,
      );
    return [...SLOTS.map((slot) => add(slot, false)), ...(isLost ? [add(TAKE_OVER, true)] : [])];
  }
}
